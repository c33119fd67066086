import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Endpoints } from './backend/index.ts'
import { repositoryRoot } from './backend/repository-root.ts'
import { bundle } from './bundle.ts'
import { withNextSchema } from './update/next-schema-plugin.ts'

/** Where what is built for the browser tests is kept, until the next run builds it again. */
export const BUILT = join(repositoryRoot(), '.holdfast', 'e2e', 'built')

/** Source files in this folder: what the tests serve to a browser is one classic script of each and its imports. */
const SOURCES = [
  'elements/bare-page.ts',
  'hostile/fuzz.ts',
  'kill/workers/copies.ts',
  'kill/workers/patient.ts',
  'kill/workers/pinata.ts',
  'kill/workers/put.ts',
  'kill/workers/tus.ts',
  'lifetime/lifetime-page.ts',
  'lifetime/lifetime-worker.ts',
  'ui/drawing-page.ts',
  'in-page/upload-page.ts',
  'in-page/leaving-page.ts',
  'without-chain/settled-worker.ts',
  'database/store-in-page.ts',
  'transports/transport-page.ts',
  'transports/secrets-worker.ts',
  'transports/transport-worker.ts',
  'update/update-page.ts',
] as const

/** The patient worker with the schema of tomorrow. */
const NEXT_SCHEMA = 'kill/workers/next-schema.ts'

export type ScriptName = (typeof SOURCES)[number] | typeof NEXT_SCHEMA

/** A script as it was built for this run. */
export const builtScript = (name: ScriptName) => readFile(fileOf(name), 'utf8')

/** A script with the endpoints that it asks for; they are part of the code, so that no page can redirect evidence. */
export const withEndpoints = (script: string, endpoints: Endpoints) =>
  script.replaceAll('__HOLDFAST_ENDPOINTS__', () => `(${JSON.stringify(endpoints)})`)

const fileOf = (name: string) => join(BUILT, name.replace(/\.ts$/, '.js'))

/** Builds every script: once for all tests and their processes. */
export async function buildScripts(): Promise<void> {
  for (const name of SOURCES) await write(name, await bundle(sourceOf(name)))
  await write(NEXT_SCHEMA, await bundle(sourceOf('kill/workers/patient.ts'), [withNextSchema]))
}

const sourceOf = (name: ScriptName) => join(repositoryRoot(), 'e2e', name)

async function write(name: ScriptName, script: string): Promise<void> {
  const file = fileOf(name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, script)
}
