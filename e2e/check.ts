import { spawn } from 'node:child_process'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { registryArtifact } from './backend/registry-artifact.ts'
import { repositoryRoot } from './backend/repository-root.ts'
import { ARTIFACTS } from './backend/sandbox.ts'
import { findChromium } from './driver/find-chromium.ts'
import { inWords } from './kill/covering.ts'
import { MATRIX_COVERAGE } from './kill/matrix.ts'
import { HEADS_COVERAGE, TELLINGS_COVERAGE } from './without-chain/cells.ts'
import { LANDING, WHOLE, WHOLE_ENV, WHOLE_MATRIX } from './test-size.ts'

/** One line of the check: a command, and how many tests it stands for. */
interface Step {
  readonly name: string
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Counts what the command ran; without it the command is one test. */
  readonly count?: () => Promise<Count>
}

interface Count {
  readonly passed: number
  readonly failed: number
  /** For want of something that is not installed; absent: none. */
  readonly skipped?: number
}

const root = repositoryRoot()
const results = join(root, '.holdfast', 'check')

/** `npm test` has compiled without them where they are wrong: here it says what is. */
const TYPES: Step = { name: 'types', command: ['tsc', '-b'] }

/** Small things, beside the compiler of the registry, which takes one core. */
const CHECKS: readonly Step[] = [
  { name: 'lint', command: ['oxlint', '--deny-warnings'] },
  { name: 'sizes', command: ['size-limit'] },
  { name: 'package', command: ['publint', '--strict'] },
]

const FORMAT: Step = {
  name: 'format',
  // Of a fresh clone it takes half a minute of a core: what runs beside it leaves that, and `npm test` goes without. What
  // browsers write meanwhile it would walk through before it ignores it. What was in order before, and has not changed,
  // still is.
  command: [
    'prettier',
    '--check',
    '--log-level=warn',
    '--cache',
    '--cache-strategy=content',
    `--cache-location=${join(root, '.holdfast', 'formatted')}`,
    '.',
    '!.holdfast',
    '!dist',
  ],
}

const UNIT_TESTS: Step = {
  name: 'unit tests',
  command: [
    'vitest',
    'run',
    '--config',
    'e2e/vitest.config.ts',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${join(results, 'unit.json')}`,
  ],
  count: countUnitTests,
}

const WHOLE_UNITS: Step = { ...UNIT_TESTS, env: WHOLE_ENV }

const browserTests = (name: string, config: string, options: readonly string[] = []): Step => {
  const file = join(results, `${name.replaceAll(' ', '-')}.json`)
  return {
    name,
    command: ['playwright', 'test', '--config', config, '--reporter=list,json', ...options],
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: file },
    count: () => countBrowserTests(file),
  }
}

function node(name: string, script: string, ...args: string[]): Step {
  return { name, command: ['node', join(root, 'dist/e2e', script), ...args] }
}

const CHROMIUM = 'e2e/playwright.config.ts'

/** What runs one after the other; of a list all at once. */
type Plan = readonly (Step | readonly Step[])[]

/** One of each kind. */
const sample = (units: readonly Step[], ...left: readonly string[]): Plan => [
  units,
  browserTests('browser tests', CHROMIUM, ['--grep-invert', [...left, WHOLE, WHOLE_MATRIX].join('|')]),
]

const ENGINES = browserTests('tests in every engine that is installed', 'e2e/engines/playwright.config.ts')

/** Each of these keeps one core busy. */
const READERS: readonly Step[] = [
  node('three readers, sessions 0 to 499', 'second-implementation/compare.js', '500', '0'),
  node('three readers, sessions 500 to 999', 'second-implementation/compare.js', '500', '500'),
  node('tampering', 'second-implementation/tamper.js', '1000'),
]

/**
 * Everything but what waits in real time for half an hour. The unit tests and the
 * other engines wait much: readers and simulator fill the cores meanwhile.
 */
const all = (browsers: Step): Plan => [
  [...READERS, WHOLE_UNITS],
  [FORMAT, browsers],
  [node('simulator', 'simulate/main.js', '--runs', '3000'), ENGINES],
]

/** What it takes of the kill tests meets every pair (docs/decisions/0045-a-covering-set-of-cells.md). */
const ALL = all(browserTests('browser tests', CHROMIUM, ['--grep-invert', WHOLE_MATRIX]))
/** Every cell of every product. */
const WHOLE_MATRICES = all(browserTests('browser tests', CHROMIUM))

function chosen(options: readonly string[]): Plan {
  if (options.includes('--whole-matrix')) return WHOLE_MATRICES
  if (options.includes('--all')) {
    console.log(inWords('Kill matrix', MATRIX_COVERAGE))
    console.log(inWords('Heads at the store', HEADS_COVERAGE))
    console.log(inWords('Telling the app', TELLINGS_COVERAGE))
    return ALL
  }
  return options.includes('--engines')
    ? // The other engines wait, in real time above all.
      sample([FORMAT, ENGINES, WHOLE_UNITS])
    : sample([UNIT_TESTS], LANDING)
}

async function main(): Promise<void> {
  await rm(results, { recursive: true, force: true })
  await mkdir(results, { recursive: true })
  const chromium = findChromium()
  console.log(`Chromium: ${chromium}`)

  const total = { passed: 0, failed: 0, skipped: 0 }
  const perform = async (step: Step, shows: 'as it goes' | 'at its end') => {
    const began = Date.now()
    if (shows === 'as it goes') console.log(`\n── ${step.name}`)
    const { exitCode, output } = await run(step, { CHROME_PATH: chromium }, shows)
    const { passed, failed, skipped = 0 } = await countOf(step, exitCode)
    total.passed += passed
    total.failed += failed
    total.skipped += skipped
    const seconds = ((Date.now() - began) / 1000).toFixed(1)
    console.log(`${output}── ${step.name}: ${failed === 0 ? 'ok' : `${failed} FAILED`} (${seconds} s)`)
  }
  await perform(TYPES, 'as it goes')
  // Otherwise each process of tests that needs it first would compile it.
  await Promise.all([registryArtifact(ARTIFACTS), ...CHECKS.map((check) => perform(check, 'at its end'))])
  for (const step of chosen(process.argv))
    if ('command' in step) await perform(step, 'as it goes')
    // The last is the longest.
    else await Promise.all(step.map((one) => perform(one, one === step.at(-1) ? 'as it goes' : 'at its end')))

  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`)
  process.exitCode = total.failed === 0 ? 0 : 1
}

async function run(
  { command: [name = '', ...args], env }: Step,
  also: Record<string, string>,
  shows: 'as it goes' | 'at its end',
): Promise<{ exitCode: number; output: string }> {
  const stdio = shows === 'as it goes' ? 'inherit' : 'pipe'
  const child = spawn(name === 'node' ? process.execPath : join(root, 'node_modules', '.bin', name), args, {
    cwd: root,
    stdio: ['ignore', stdio, stdio],
    env: { ...process.env, ...also, ...env },
    shell: process.platform === 'win32',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (piece: Buffer) => {
      output += piece.toString()
    })
  const exitCode = await new Promise<number>((resolve) => {
    child.on('error', () => resolve(1))
    child.on('close', (code) => resolve(code ?? 1))
  })
  return { exitCode, output }
}

/** A command that fails without naming a failed test still counts as one. */
async function countOf({ count }: Step, exitCode: number): Promise<Count> {
  const alone = exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
  if (count === undefined) return alone
  const counted = await count().catch(() => ({ passed: 0, failed: 0 }))
  const silent = exitCode !== 0 && counted.failed === 0
  const nothing = counted.passed + counted.failed === 0
  return silent || nothing ? { ...counted, failed: 1 } : counted
}

async function countUnitTests(): Promise<Count> {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
    await readFile(join(results, 'unit.json'), 'utf8'),
  )
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests }
}

async function countBrowserTests(file: string): Promise<Count> {
  const { stats } = JSON.parse(await readFile(file, 'utf8'))
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky, skipped: stats.skipped }
}

await main()
