import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { repositoryRoot } from '../backend/repository-root.ts'

const run = promisify(execFile)

/** What a clone needs to be packed. */
const CLONED = ['src', 'sw', 'package.json', 'tsconfig.json', 'docs', 'README.md', 'LICENSE']

/** Sources that stay here: the reference app, and the tests with what only they need. */
const OURS_ALONE =
  /\.test\.ts$|\/vectors\/|^src\/demo\/|^sw\/(demo\.ts|testing\/|adapters\/store\/memory\.ts)/

/** A clone in which nothing was built, and an app that has nothing but the package. */
export interface Clone {
  readonly app: string
  readonly tarball: string
  /** The files of the tarball that the app has. */
  readonly files: readonly string[]
  /** What the library consists of, by its sources. */
  readonly library: readonly string[]
  readonly docs: readonly string[]
  /** The files of a tarball that is packed where everything was built, and nothing is cleaned away. */
  packEverything(): Promise<string[]>
  clear(): Promise<void>
}

/** Packs a fresh clone, as its maintainer does, and installs the tarball without a network. */
export async function packClone(): Promise<Clone> {
  const root = repositoryRoot()
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-package-'))
  const [clone, app] = [join(folder, 'clone'), join(folder, 'app')]
  await mkdir(clone)
  for (const name of CLONED) await cp(join(root, name), join(clone, name), { recursive: true })
  await link(join(root, 'node_modules'), join(clone, 'node_modules'))
  const sources = [...(await filesUnder(clone, 'src')), ...(await filesUnder(clone, 'sw'))]

  const { filename, files } = await pack(clone)
  const installed = join(app, 'node_modules', 'holdfast')
  await mkdir(installed, { recursive: true })
  await run('tar', ['-xzf', join(clone, filename), '-C', installed, '--strip-components=1'])
  const { dependencies } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies))
    await link(join(root, 'node_modules', name), join(app, 'node_modules', name))

  return {
    app,
    tarball: join(clone, filename),
    files,
    library: sources.filter((path) => !OURS_ALONE.test(path)).flatMap(built),
    docs: await filesUnder(clone, 'docs'),
    async packEverything() {
      const output = [...sources.flatMap(built), 'dist/e2e/check.js', 'dist/demo/index.html']
      for (const path of output) {
        await mkdir(dirname(join(clone, path)), { recursive: true })
        await writeFile(join(clone, path), '')
      }
      return (await pack(clone, '--dry-run', '--ignore-scripts')).files
    },
    clear: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Runs a module in plain Node, in an app. @returns what it printed as JSON; anything on standard error is thrown */
export async function inNode(app: string, program: string): Promise<unknown> {
  const { NODE_ENV: _env, NODE_OPTIONS: _options, ...env } = process.env
  const args = ['--input-type=module', '--eval', program]
  const { stdout, stderr } = await run(process.execPath, args, { cwd: app, env })
  if (stderr !== '') throw new Error(stderr)
  return JSON.parse(stdout)
}

/** What an app's settings say of its types. */
export interface Settings {
  readonly lib: 'dom' | 'webworker'
  readonly module: 'esnext' | 'nodenext'
  /** For an app with packages whose declarations are not without a flaw; default false. */
  readonly skipLibCheck?: boolean
}

/**
 * Checks a source of an app, and the package's declarations, as strictly as it can be; compiles it beside itself.
 *
 * @throws Error with what the compiler says
 */
export async function typeCheck(
  app: string,
  source: string,
  { lib, module, skipLibCheck = false }: Settings = { lib: 'webworker', module: 'nodenext' },
): Promise<void> {
  const strict = [
    '--strict',
    '--exactOptionalPropertyTypes',
    '--skipLibCheck',
    String(skipLibCheck),
    '--ignoreConfig',
  ]
  const resolution = ['--module', module, '--moduleResolution', module === 'esnext' ? 'bundler' : module]
  const platform = ['--target', 'es2023', '--lib', `es2023,${lib}`, '--types', '']
  const tsc = join(repositoryRoot(), 'node_modules', '.bin', 'tsc')
  await run(tsc, [...strict, ...resolution, ...platform, source], {
    cwd: app,
    shell: process.platform === 'win32',
  }).catch(({ stdout }: { stdout: string }) => {
    throw new Error(stdout)
  })
}

async function pack(folder: string, ...flags: string[]): Promise<{ filename: string; files: string[] }> {
  // Without what an npm that runs the tests tells its scripts: the folder that it runs in, above all.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
  const args = ['pack', '--json', '--no-update-notifier', ...flags]
  const { stdout } = await run('npm', args, { cwd: folder, env, shell: process.platform === 'win32' })
  // npm repeats before it what `prepack` prints.
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')))
  return { filename, files: files.map(({ path }: { path: string }) => path) }
}

async function link(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await symlink(target, path, 'junction')
}

async function filesUnder(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll('\\', '/'),
    )
}

/** What `tsc -b` makes of a source: nothing of a page, a style or its own settings. */
function built(source: string): string[] {
  if (source.includes('/vectors/')) return [`dist/${source}`]
  return source.endsWith('.ts')
    ? ['.js', '.js.map', '.d.ts'].map((end) => `dist/${source.replace(/\.ts$/, end)}`)
    : []
}
