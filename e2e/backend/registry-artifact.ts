import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Abi } from 'viem'
import { writeAtomically } from './atomic-file.ts'
import { BackendError } from './backend-error.ts'
import { repositoryRoot } from './repository-root.ts'

/** The compiled registry contract. */
export interface RegistryArtifact {
  /** SHA-256 of source and compiler settings, hex. */
  readonly sourceHash: string
  readonly bytecode: `0x${string}`
  readonly abi: Abi
}

/** As it would be deployed: its test measures what a call costs. */
const SETTINGS = {
  evmVersion: 'cancun',
  optimizer: { enabled: true, runs: 10_000 },
  viaIR: true,
  outputSelection: { '*': { HeadRegistry: ['abi', 'evm.bytecode.object'] } },
}

/** `HeadRegistry.sol`, compiled, or taken from `cacheDir` if it was compiled before. */
export async function registryArtifact(cacheDir: string): Promise<RegistryArtifact> {
  const root = repositoryRoot()
  const source = await readFile(join(root, 'e2e', 'backend', 'HeadRegistry.sol'), 'utf8')
  const sourceHash = createHash('sha256').update(source).update(JSON.stringify(SETTINGS)).digest('hex')
  const cached = join(cacheDir, `HeadRegistry-${sourceHash.slice(0, 16)}.json`)
  try {
    return JSON.parse(await readFile(cached, 'utf8')) as RegistryArtifact
  } catch {
    const artifact = { sourceHash, ...(await compile(root, source)) }
    await writeAtomically(cached, JSON.stringify(artifact))
    return artifact
  }
}

interface CompilerOutput {
  errors?: { severity: string; formattedMessage: string }[]
  contracts?: Record<
    string,
    { HeadRegistry?: { abi: Abi; evm: { bytecode: { object: string } } } } | undefined
  >
}

/** In a process of its own: the compiler is 100 MB of wasm, and hooks into its process's error handling. */
async function compile(root: string, source: string): Promise<Omit<RegistryArtifact, 'sourceHash'>> {
  const solc = createRequire(join(root, 'package.json')).resolve('solc')
  const program =
    'process.stdout.write(require(process.argv[1]).compile(require("node:fs").readFileSync(0, "utf8")))'
  const child = spawn(process.execPath, ['-e', program, solc], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => undefined)
  child.stdin.end(
    JSON.stringify({
      language: 'Solidity',
      sources: { 'HeadRegistry.sol': { content: source } },
      settings: SETTINGS,
    }),
  )
  const [answer, complaint] = await Promise.all([text(child.stdout), text(child.stderr)])
  let output: CompilerOutput
  try {
    output = JSON.parse(answer) as CompilerOutput
  } catch (cause) {
    throw new BackendError('registry-broken', `The Solidity compiler failed: ${complaint}`, { cause })
  }
  const problems = (output.errors ?? []).filter(({ severity }) => severity === 'error')
  const contract = output.contracts?.['HeadRegistry.sol']?.HeadRegistry
  if (problems.length > 0 || contract === undefined) {
    const reasons = problems.map(({ formattedMessage }) => formattedMessage).join('\n')
    throw new BackendError('registry-broken', `HeadRegistry.sol does not compile:\n${reasons}`)
  }
  return { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` }
}
