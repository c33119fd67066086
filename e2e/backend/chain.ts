import { gunzip } from 'node:zlib'
import { promisify } from 'node:util'
import { startAnvil, type Anvil } from './anvil.ts'
import { writeAtomically } from './atomic-file.ts'
import { BackendError } from './backend-error.ts'
import type { DataDir } from './data-dir.ts'
import { freePort, type PortUse } from './ports.ts'
import { asHex, rpcClient, RpcError, type Rpc } from './rpc.ts'
import { serial } from './serial.ts'

/** Control over the chain's real process. */
export interface Chain {
  /** The node itself, past the backend's faults and ledger. */
  readonly url: string
  readonly chainId: number
  readonly registry: `0x${string}`
  readonly running: boolean
  /** Call the node itself. Throws `RpcError` or `ChainUnreachable`. */
  rpc(method: string, params?: readonly unknown[]): Promise<unknown>
  /** Mine blocks now, on top of those that the clock brings. */
  mine(blocks?: number): Promise<void>
  /** Whether the clock brings blocks; true at first. What is sent meanwhile waits in the pool. */
  setMining(on: boolean): void
  /**
   * Replace the last `depth` blocks with empty ones. Their transactions are gone, also from the pool.
   * Reaches no further back than the last `start()`.
   */
  reorg(depth: number): Promise<void>
  /**
   * SIGKILL the node. What was mined is saved first, the pool of pending transactions is lost.
   *
   * @param options.save false: blocks since the last save (about 1 s) are lost too, as on a power cut
   */
  stop(options?: { save?: boolean }): Promise<void>
  /** Start the node again on the same port, from the saved state. */
  start(): Promise<void>
}

/** The chain's process, before it has a registry. */
export interface ChainNode extends Omit<Chain, 'registry' | 'running'> {
  isRunning(): boolean
  /** Put what was mined on disk. */
  save(): Promise<void>
}

/** The controls of a node, as a backend shows them. */
export function chainWith(node: ChainNode, registry: `0x${string}`): Chain {
  const { url, chainId, rpc, mine, setMining, reorg, stop, start } = node
  return {
    url,
    chainId,
    registry,
    get running() {
      return node.isRunning()
    },
    rpc,
    mine,
    setMining,
    reorg,
    stop,
    start,
  }
}

export interface ChainNodeOptions {
  readonly dir: DataDir
  readonly port: number
  readonly blockTimeSec: number
  readonly savesRegularly: boolean
  readonly chainId: number
  readonly log: (line: string) => void
}

/** The node of a backend that was killed a moment ago is about to end too. */
const ORPHAN_ENDS_WITHIN_MS = 1000
const SAVE_EVERY_MS = 1000
/** A long chain takes longer to save; saving never takes more than this share of the time. */
const SAVE_SHARE = 1 / 30

export async function startChainNode(options: ChainNodeOptions): Promise<ChainNode> {
  const { dir, blockTimeSec, savesRegularly, chainId, log } = options
  const use: PortUse = { port: options.port, wantedBy: 'the chain (anvil)', option: '--chain-port' }
  const port = await freePort(use, ORPHAN_ENDS_WITHIN_MS)
  const url = `http://127.0.0.1:${port}`
  const rpc = rpcClient(url)
  const inTurn = serial()
  const savesInTurn = serial()
  const save = () => savesInTurn(() => saveState(rpc, dir.chainState))
  let anvil: Anvil | undefined
  let mining = true
  let stopClocks: (() => void) | undefined

  const start = async () => {
    if (anvil !== undefined) return
    await freePort({ ...use, port }, ORPHAN_ENDS_WITHIN_MS)
    const next = await startAnvil({
      port,
      chainId,
      stateFile: dir.chainState,
      cacheDir: dir.chainCache,
    })
    anvil = next
    const saver = savesRegularly ? saveRegularly(rpc, save, log) : () => undefined
    const miner = mineRegularly(rpc, blockTimeSec * 1000, () => mining)
    stopClocks = () => {
      saver()
      clearInterval(miner)
    }
    const clocks = stopClocks
    void next.ended.then((how) => {
      if (anvil !== next) return
      anvil = undefined
      clocks()
      log(`The chain (anvil, process ${next.pid}) ended unexpectedly: ${how}. chain.start() starts it again.`)
    })
  }

  const stop = async (saved: boolean) => {
    if (anvil === undefined) return
    const last = anvil
    stopClocks?.()
    if (saved) await save().catch((error: unknown) => log(`The chain could not be saved: ${String(error)}`))
    anvil = undefined
    await last.kill()
    await savesInTurn(async () => undefined)
  }

  const demand = () => {
    if (anvil === undefined)
      throw new BackendError('chain-stopped', 'The chain is stopped: chain.start() first.')
  }

  await start()
  return {
    url,
    chainId,
    isRunning: () => anvil !== undefined,
    rpc,
    start: () => inTurn(start),
    stop: (options) => inTurn(() => stop(options?.save ?? true)),
    save,
    async mine(blocks = 1) {
      demand()
      await rpc('anvil_mine', [`0x${blocks.toString(16)}`])
    },
    setMining(on) {
      mining = on
    },
    async reorg(depth) {
      demand()
      try {
        await rpc('anvil_reorg', [depth, []])
      } catch (error) {
        if (!(error instanceof RpcError)) throw error
        throw new BackendError(
          'reorg-too-deep',
          `The chain cannot go back ${depth} blocks (${error.message}); it reaches no further than its last start.`,
          { cause: error },
        )
      }
    },
  }
}

/** A block at each interval; one that comes late comes alone. */
function mineRegularly(rpc: Rpc, everyMs: number, isOn: () => boolean): NodeJS.Timeout {
  let busy = false
  return setInterval(() => {
    if (busy || !isOn()) return
    busy = true
    // A node that has died says so elsewhere.
    rpc('evm_mine')
      .catch(() => undefined)
      .finally(() => {
        busy = false
      })
  }, everyMs).unref()
}

const unzip = promisify(gunzip)

/**
 * Ask anvil for its state and store it in one piece.
 *
 * Anvil's own `--state-interval` writes in place, so that a SIGKILL at the wrong moment leaves half a file.
 */
async function saveState(rpc: Rpc, path: string): Promise<void> {
  const dump = asHex(await rpc('anvil_dumpState'))
  await writeAtomically(path, await unzip(Buffer.from(dump.slice(2), 'hex')))
}

function saveRegularly(rpc: Rpc, save: () => Promise<void>, log: (line: string) => void): () => void {
  let over = false
  let saved: unknown
  let timer: NodeJS.Timeout | undefined
  const turn = async () => {
    const began = performance.now()
    try {
      const block = await rpc('eth_getBlockByNumber', ['latest', false])
      const hash = typeof block === 'object' && block !== null && 'hash' in block ? block.hash : undefined
      if (over || hash === saved) return
      await save()
      saved = hash
    } catch (error) {
      if (!over) log(`The chain could not be saved: ${String(error)}`)
    } finally {
      plan(Math.max(SAVE_EVERY_MS, (performance.now() - began) / SAVE_SHARE))
    }
  }
  const plan = (delayMs: number) => {
    if (!over) timer = setTimeout(() => void turn(), delayMs).unref()
  }
  plan(SAVE_EVERY_MS)
  return () => {
    over = true
    clearTimeout(timer)
  }
}
