import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { repositoryRoot } from '../backend/repository-root.ts'

interface Locked {
  readonly integrity?: string
  readonly link?: boolean
  readonly inBundle?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const read = (name: string) => JSON.parse(readFileSync(join(repositoryRoot(), name), 'utf8'))
const manifest = read('package.json')
const packages: Record<string, Locked> = read('package-lock.json').packages

it('the lockfile says of the package itself what its manifest says', () => {
  const SAID_IN_BOTH = ['name', 'version', 'license', 'engines', 'dependencies', 'devDependencies']
  for (const field of SAID_IN_BOTH) expect(packages[''], field).toHaveProperty(field, manifest[field])
  const bin = Object.entries<string>(manifest.bin).map(([name, path]) => [name, path.replace('./', '')])
  expect(packages['']).toHaveProperty('bin', Object.fromEntries(bin))
})

it('the lockfile has each package by its digest, those of other platforms too', () => {
  const installed = Object.entries(packages).filter(([path]) => path !== '')
  const unnamed = installed.filter(([, { integrity, link, inBundle }]) => !integrity && !link && !inBundle)
  const missing = installed.flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isLocked(path, name)),
  )
  expect({ unnamed: unnamed.map(([path]) => path), missing }).toEqual({ unnamed: [], missing: [] })
})

/** Where Node would look for it from that package: beside it, then in each folder above. */
function isLocked(path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (packages[folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`]) return true
    if (folder === '') return false
  }
}
