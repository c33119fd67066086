import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { getContractAddress } from 'viem'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { relayAccount } from './backend/chain-accounts.ts'
import { repositoryRoot } from './backend/repository-root.ts'

const root = repositoryRoot()
const PAGES = [
  'README.md',
  'docs/quick-start.md',
  'docs/quick-start-files.md',
  'docs/guide.md',
  'docs/frameworks.md',
  'docs/backend.md',
  'docs/from-uppy.md',
  'docs/from-tus-js-client.md',
  'docs/from-workbox-background-sync.md',
]

/** A page whose first sample is right and whose second is not, so that this test is known to look. */
const WRONG_PAGE = `
\`\`\`ts src/holdfast.ts
import { connect } from 'holdfast'
export const holdfast = await connect({ scriptUrl: '/sw.js' })
\`\`\`

\`\`\`ts
import { holdfast } from './holdfast'
await holdfast.pause(42)
\`\`\`

\`\`\`ts
import { install } from 'holdfast/sw'
install(document.body)
\`\`\`
`

/** A block of TypeScript on a page: one file of an app. */
interface Sample {
  readonly path: string
  /** As long as the page before it: so its lines have the numbers of the page's. */
  readonly code: string
}

/** What the page says the app's files are: those named after `ts`, and one of its own for each block without a name. */
function samplesOf(page: string, text: string): Sample[] {
  return [...text.matchAll(/^```tsx?(?: (\S+))?\n(.*?)^```$/gms)].map(({ index, 1: name, 2: code = '' }) => {
    const linesBefore = text.slice(0, index).split('\n').length
    return {
      path: join(page, name ?? `src/line-${linesBefore}.ts`),
      code: '\n'.repeat(linesBefore) + code,
    }
  })
}

const isForWorker = ({ code }: Sample) => code.includes(`'holdfast/sw`)

/** The sources behind the package's entries. */
function sourcesByEntry(): Record<string, string[]> {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = Object.entries(exports as Record<string, { types: string }>)
  const sourceOf = ({ types }: { types: string }) => types.replace('./dist', root).replace(/\.d\.ts$/, '.ts')
  return Object.fromEntries(
    entries.map(([name, entry]) => [name.replace('.', 'holdfast'), [sourceOf(entry)]]),
  )
}

function project(samples: readonly Sample[], lib: readonly string[]) {
  return {
    extends: join(root, 'tsconfig.json'),
    files: samples.map(({ path }) => path),
    references: [],
    compilerOptions: {
      lib: ['ES2023', ...lib],
      types: ['node', 'vite/client'],
      jsx: 'react-jsx',
      paths: { ...sourcesByEntry(), vue: [join(root, 'e2e/package/vue-in-part.ts')] },
      // An app of Vite's template has it off, and vite-plugin-pwa wants `injectionPoint: undefined`.
      exactOptionalPropertyTypes: false,
      noEmit: true,
      composite: false,
      incremental: false,
      declaration: false,
      rootDir: null,
      tsBuildInfoFile: null,
    },
  }
}

/** @returns what the compiler says, a line each */
async function typeCheck(folder: string, samples: readonly Sample[]): Promise<string[]> {
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  for (const { path, code } of samples) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), code)
  }
  const projects = {
    'page.json': project(
      samples.filter((sample) => !isForWorker(sample)),
      ['DOM', 'DOM.Iterable'],
    ),
    'worker.json': project(samples.filter(isForWorker), ['WebWorker']),
  }
  for (const [name, settings] of Object.entries(projects))
    await writeFile(join(folder, name), JSON.stringify(settings))
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const args = ['--build', '--pretty', 'false', ...Object.keys(projects)]
  const run = promisify(execFile)(tsc, args, { cwd: folder, shell: process.platform === 'win32' })
  const { stdout } = await run.catch((failed: { stdout: string }) => failed)
  // What is indented goes on with the line before it.
  return stdout.split('\n').filter((line) => /^\S/.test(line))
}

const ofPages = PAGES.map((page) => samplesOf(page, readFileSync(join(root, page), 'utf8')))
const samples = [...ofPages.flat(), ...samplesOf('wrong.md', WRONG_PAGE)]

let folder: string
let complaints: string[]
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-samples-'))
  complaints = await typeCheck(folder, samples)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const isOfWrongPage = (line: string) => line.startsWith('wrong.md')

it('every sample of the pages compiles, as a file of an app', () => {
  expect(complaints.filter((line) => !isOfWrongPage(line))).toEqual([])
})

it('samples are found on every page, and none is written over by another', () => {
  expect(ofPages.filter((found) => found.length === 0)).toEqual([])
  expect(new Set(samples.map(({ path }) => path)).size).toBe(samples.length)
})

it('a sample that does not compile is named by page and line', () => {
  expect(complaints.filter(isOfWrongPage)).toEqual([
    expect.stringMatching(/^wrong\.md\/src\/line-7\.ts\(9,22\): error TS2345/),
    expect.stringMatching(/^wrong\.md\/src\/line-12\.ts\(14,9\): error TS2584/),
  ])
})

it('the quick start and the demo name the registry that the local backend deploys first', () => {
  const registry = getContractAddress({ from: relayAccount().address, nonce: 0n })
  for (const path of ['docs/quick-start.md', 'vite.config.ts'])
    expect(/0x[\da-fA-F]{40}/.exec(readFileSync(join(root, path), 'utf8'))?.[0], path).toBe(registry)
})
