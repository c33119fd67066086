import { spawn } from 'node:child_process'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from './backend/repository-root.ts'
import { findChromium } from './browser/find-chromium.ts'

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
}

const root = repositoryRoot()
const results = join(root, '.holdfast', 'check')
const unitResults = join(results, 'unit.json')
const browserResults = join(results, 'browser.json')
const engineResults = join(results, 'engines.json')

const STEPS: readonly Step[] = [
  { name: 'types', command: ['tsc', '-b'] },
  { name: 'lint', command: ['oxlint', '--deny-warnings'] },
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { name: 'sizes', command: ['size-limit'] },
  { name: 'package', command: ['publint', '--strict'] },
  {
    name: 'unit tests',
    command: [
      'vitest',
      'run',
      '--config',
      'e2e/vitest.config.ts',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${unitResults}`,
    ],
    count: countUnitTests,
  },
  {
    name: 'browser tests',
    command: ['playwright', 'test', '--config', 'e2e/playwright.config.ts', '--reporter=list,json'],
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: browserResults },
    count: () => countBrowserTests(browserResults),
  },
]

/** Added by `--engines`. */
const ENGINES: Step = {
  name: 'tests in every engine that is installed',
  command: ['playwright', 'test', '--config', 'e2e/browsers/playwright.config.ts', '--reporter=list,json'],
  env: { PLAYWRIGHT_JSON_OUTPUT_NAME: engineResults },
  count: () => countBrowserTests(engineResults),
}

async function main(): Promise<void> {
  await rm(results, { recursive: true, force: true })
  await mkdir(results, { recursive: true })
  const chromium = findChromium()
  console.log(`Chromium: ${chromium}`)

  const total = { passed: 0, failed: 0 }
  const withEngines = process.argv.includes('--engines')
  for (const step of withEngines ? [...STEPS, ENGINES] : STEPS) {
    const began = Date.now()
    console.log(`\n── ${step.name}`)
    const exitCode = await run(step, { CHROME_PATH: chromium })
    const { passed, failed } = await countOf(step, exitCode)
    total.passed += passed
    total.failed += failed
    const seconds = ((Date.now() - began) / 1000).toFixed(1)
    console.log(`── ${step.name}: ${failed === 0 ? 'ok' : `${failed} FAILED`} (${seconds} s)`)
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed`)
  process.exitCode = total.failed === 0 ? 0 : 1
}

function run({ command: [name = '', ...args], env }: Step, also: Record<string, string>): Promise<number> {
  const child = spawn(join(root, 'node_modules', '.bin', name), args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...also, ...env },
    shell: process.platform === 'win32',
  })
  return new Promise((resolve) => {
    child.on('error', () => resolve(1))
    child.on('exit', (code) => resolve(code ?? 1))
  })
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
  const { numPassedTests, numFailedTests } = JSON.parse(await readFile(unitResults, 'utf8'))
  return { passed: numPassedTests, failed: numFailedTests }
}

/** What is skipped, for want of an engine, counts as neither. */
async function countBrowserTests(file: string): Promise<Count> {
  const { stats } = JSON.parse(await readFile(file, 'utf8'))
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky }
}

await main()
