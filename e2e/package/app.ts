import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { repositoryRoot } from '../backend/repository-root.ts'

const run = promisify(execFile)
const root = repositoryRoot()

/** The files of an app, by their path in it. */
export type Files = Readonly<Record<string, string>>

/**
 * Makes an app in an empty folder: these files, this package as it is packed of what was built, and these others beside.
 *
 * @returns the folder
 */
export async function makeApp(folder: string, files: Files, others: readonly string[]): Promise<string> {
  const installed = join(folder, 'node_modules', 'holdfast')
  await mkdir(installed, { recursive: true })
  // What is packed after a build is what a fresh clone packs: tarball.test.ts.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
  const args = ['pack', '--ignore-scripts', '--json', '--no-update-notifier', '--pack-destination', folder]
  const { stdout } = await run('npm', args, { cwd: root, env, shell: process.platform === 'win32' })
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')))
  await run('tar', ['-xzf', join(folder, filename), '-C', installed, '--strip-components=1'])
  const { dependencies } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
  for (const name of [...Object.keys(dependencies), ...others]) {
    const path = join(folder, 'node_modules', name)
    await mkdir(dirname(path), { recursive: true })
    await symlink(join(root, 'node_modules', name), path, 'junction')
  }
  const written = { 'package.json': '{ "type": "module", "private": true }', ...files }
  for (const [path, text] of Object.entries(written)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return folder
}

/** The files that a page of docs names, and their text. */
export async function filesOf(page: string): Promise<Record<string, string>> {
  const text = await readFile(join(root, 'docs', page), 'utf8')
  const blocks = text.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)
  return Object.fromEntries([...blocks].map(([, path = '', code = '']) => [path, code]))
}

/** Lines that a person writes: none that are empty or a comment alone. */
export const ownLines = (files: Files): number =>
  Object.values(files)
    .flatMap((text) => text.split('\n'))
    .filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length
