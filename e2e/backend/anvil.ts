import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { BackendError } from './backend-error.ts'
import { dieWithUs } from './die-with-us.ts'
import { repositoryRoot } from './repository-root.ts'
import { rpcClient } from './rpc.ts'

export interface AnvilOptions {
  readonly port: number
  /** State to begin from, if the file exists. */
  readonly stateFile: string
  readonly cacheDir: string
  /** Default: anvil's own, 31337. */
  readonly chainId?: number
  /** Rules of the chain, by the name of the fork. Default: the newest that anvil knows to be live. */
  readonly hardfork?: string
}

/** A running anvil process. */
export interface Anvil {
  readonly pid: number
  readonly url: string
  /** Settles when the process has ended, with a line that says how. */
  readonly ended: Promise<string>
  /** SIGKILL, by id; resolves once the process is gone. */
  kill(): Promise<void>
}

/** How many recent states anvil keeps in memory; no reorganisation reaches further back. */
const KEPT_STATES = 128

/** However busy the machine is. */
const STARTS_WITHIN_MS = 120_000

/** Start anvil and wait for its first answer. */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  const args = ['--host', '127.0.0.1', '--port', String(options.port), '--silent']
  // Blocks are mined when we say so: see `chain.ts`.
  args.push('--no-mining', '--slots-in-an-epoch', '1')
  args.push('--prune-history', String(KEPT_STATES), '--cache-path', options.cacheDir)
  if (options.chainId !== undefined) args.push('--chain-id', String(options.chainId))
  if (options.hardfork !== undefined) args.push('--hardfork', options.hardfork)
  if (existsSync(options.stateFile)) args.push('--load-state', options.stateFile)

  // A group of its own: Ctrl-C in a terminal must reach us alone, or the chain is gone before it was saved.
  const child = spawn(anvilBinary(), args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000)
  })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(`${signal ?? `code ${code}`} ${complaint}`.trim()))
  })
  const dismiss = dieWithUs(child)
  void ended.then(dismiss)
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }

  const url = `http://127.0.0.1:${options.port}`
  const failure = await firstAnswer(url, ended)
  if (failure !== undefined || child.pid === undefined) {
    await kill()
    throw new BackendError('anvil-failed', `The chain (anvil) did not start: ${failure ?? 'no process'}`)
  }
  return { pid: child.pid, url, ended, kill }
}

/** Undefined once the node answers, else what went wrong. */
async function firstAnswer(url: string, ended: Promise<string>): Promise<string | undefined> {
  const rpc = rpcClient(url, 1000)
  const deadline = Date.now() + STARTS_WITHIN_MS
  const endedInstead = ended.then((how) => ({ how }))
  while (Date.now() < deadline) {
    const answered = rpc('eth_chainId').then(
      () => 'answered' as const,
      () => 'refused' as const,
    )
    const first = await Promise.race([answered, endedInstead])
    if (first === 'answered') return undefined
    if (first !== 'refused') return first.how
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return `no answer within ${STARTS_WITHIN_MS / 1000} s`
}

/** Path of the real binary: npm's launcher script would stand between us and its signals. */
function anvilBinary(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const name = `@foundry-rs/anvil-${process.platform}-${architecture}`
  const file = process.platform === 'win32' ? 'anvil.exe' : 'anvil'
  try {
    const require = createRequire(join(repositoryRoot(), 'package.json'))
    const binary = join(require.resolve(`${name}/package.json`), '..', 'bin', file)
    if (existsSync(binary)) return binary
  } catch {
    // Not installed: said below.
  }
  throw new BackendError(
    'anvil-missing',
    `The chain needs anvil, and ${name} is not installed. Run \`npm install\`; without that package for your ` +
      'platform the backend cannot run here.',
  )
}
