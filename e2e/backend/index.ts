import { join } from 'node:path'
import { chainProxy } from './chain-proxy.ts'
import { chainWith, startChainNode, type Chain } from './chain.ts'
import { controlPaths } from './control.ts'
import { openDataDir } from './data-dir.ts'
import type { Service } from './exchange.ts'
import { FaultBoard, type Faults } from './faults.ts'
import { gatewayService } from './gateway.ts'
import { ipfsService } from './ipfs.ts'
import { RequestLedger, type Ledger } from './ledger.ts'
import { pinataService, type PinataControl } from './pinata.ts'
import { openPins } from './pins.ts'
import { freePort, type PortUse } from './ports.ts'
import { putService } from './put.ts'
import { registryArtifact } from './registry-artifact.ts'
import { deployedRegistry } from './registry-deployment.ts'
import { openRelayJournal } from './relay-journal.ts'
import { openRelay, type Relay } from './relay.ts'
import { resumableService, type ResumableControl } from './resumable.ts'
import { backendServer } from './server.ts'
import { tokens as newTokens } from './tokens.ts'
import { tusService, type TusControl } from './tus.ts'
import { openUnixfsStore } from './unixfs-store.ts'

export { BackendError, type BackendErrorCode } from './backend-error.ts'
export type { Chain } from './chain.ts'
export type { Fault, FaultKind, FaultRule, HoldRule } from './fault-rule.ts'
export type { FaultHandle, Faults, HoldHandle } from './faults.ts'
export type { Ledger, LedgerEntry, Outcome } from './ledger.ts'
export type { PinataControl } from './pinata.ts'
export type { ResumableControl } from './resumable.ts'
export type { ServiceName } from './service-name.ts'
export type { TusControl } from './tus.ts'
export { registryAbi } from './registry-abi.ts'

export interface BackendOptions {
  /** Kept between starts. */
  dataDir: string
  /** Of all HTTP services; 0 takes any that is free. Default 8741. */
  port?: number
  /** Of the chain's own process; 0 takes any that is free. Default 8742. */
  chainPort?: number
  /** Of the chain (EIP-155). Default 31337. */
  chainId?: number
  /** Start over: delete what earlier backends stored in that folder. */
  fresh?: boolean
  /** Seconds between blocks. Default 2. */
  blockTimeSec?: number
  /** Where compiled contracts are kept, even by `fresh`. Default: in `dataDir`. */
  artifactDir?: string
  /**
   * Whether connections serve one request after another, as real servers do; then what is in the ledger may have been
   * sent again by the browser. Default false.
   */
  keepAlive?: boolean
  /**
   * Whether the chain is saved every second, so that no death of this process or the node costs more; default true.
   * Without, it is saved when it is stopped.
   */
  savesChain?: boolean
  /** How much the relay takes from one client. Default: 100 requests at once, then 20 a second. */
  relayLimit?: { burst: number; perSecond: number }
  /**
   * How often the relay looks whether the chain still has all that it brought, ms; `Infinity`: never by itself. Default:
   * once a block.
   */
  relayLooksEveryMs?: number
  /** Whether the relay pays only for who has a token of the app's server (`POST /put/token`). Default false. */
  relaySignIn?: boolean
  /** Told what nobody asked for but somebody should know. Default: nobody. */
  log?: (line: string) => void
}

/** What a worker is configured with. */
export interface Endpoints {
  /** Base of Kubo's RPC paths, without a slash at the end. */
  ipfs: string
  /** Base of `/ipfs/CID`, without a slash at the end. */
  gateway: string
  /** Where tus uploads are created, with the checksum extension. */
  tus: string
  /** The same by a server with no extension but creation. */
  tusPlain: string
  /** Base of `/objects/KEY`, and of the app's `/token` and `/grant`. */
  put: string
  /** Base of Pinata's `/v3/files`. */
  pinata: string
  /** Where resumable uploads of the IETF are created, with digests. */
  resumable: string
  /** The same by a server that tells no digests and forgets an upload once it is complete. */
  resumableMute: string
  rpcUrl: string
  registry: `0x${string}`
  relayUrl: string
  chainId: number
  /** Half a block's time: how often it is worth looking at this chain, ms. */
  pollMs: number
}

/** A running backend: stores and gateway, chain with registry, relay. */
export interface Backend {
  readonly url: string
  readonly endpoints: Endpoints
  readonly ledger: Ledger
  readonly faults: Faults
  readonly chain: Chain
  readonly tus: TusControl
  readonly tusPlain: TusControl
  readonly pinata: PinataControl
  readonly resumable: ResumableControl
  readonly resumableMute: ResumableControl
  /** End everything; what was stored is on disk. */
  stop(): Promise<void>
  /** Down: connections are refused, open ones are cut. The chain's process lives on behind it. */
  pause(): Promise<void>
  /** Up again, on the same port. */
  unpause(): Promise<void>
}

/** Start the backend. Throws `BackendError`, above all for a port or a data folder that is taken. */
export async function startBackend(options: BackendOptions): Promise<Backend> {
  const log = options.log ?? (() => undefined)
  const { blockTimeSec = 2, chainId = 31_337 } = options
  const use: PortUse = {
    port: options.port ?? 8741,
    wantedBy: 'the backend (store, gateway, relay)',
    option: '--backend-port',
  }
  const port = await freePort(use)
  const dir = await openDataDir(options.dataDir, options.fresh ?? false)
  const steps: (() => Promise<unknown>)[] = [() => dir.unlock()]
  const stop = async () => {
    for (const step of steps.splice(0).toReversed()) await step()
  }
  try {
    const compiling = registryArtifact(options.artifactDir ?? join(dir.root, 'artifacts'))
    // Also where the start fails meanwhile: nothing may write into the folder once it is given up.
    const compilerEnded = compiling.catch(() => undefined)
    steps.push(() => compilerEnded)
    const node = await startChainNode({
      dir,
      port: options.chainPort ?? 8742,
      blockTimeSec,
      savesRegularly: options.savesChain ?? true,
      chainId,
      log,
    })
    steps.push(async () => {
      // Transactions that wait for a block live in the node's memory alone.
      if (node.isRunning()) await node.mine().catch(() => undefined)
      await node.stop()
    })
    const registry = await deployedRegistry(node, await compiling, dir)
    const chain = chainWith(node, registry)

    const store = await openUnixfsStore(dir.blocks)
    const pins = await openPins(dir.pins)
    const journal = await openRelayJournal(dir.journal)
    const { rpc } = chain
    const tokens = newTokens()
    const tus = await tusService({ folder: dir.tus, mount: '/tus', plain: false, store })
    const tusPlain = await tusService({ folder: dir.tusPlain, mount: '/tus-plain', plain: true, store })
    const pinata = await pinataService({ folder: dir.pinata, tokens, store })
    const resumable = await resumableService({
      folder: dir.resumable,
      mount: '/resumable',
      mute: false,
      store,
    })
    const resumableMute = await resumableService({
      folder: dir.resumableMute,
      mount: '/resumable-mute',
      mute: true,
      store,
    })
    const relay = openRelay({
      rpc,
      chainId,
      registry,
      journal,
      ...(options.relayLimit && { limit: options.relayLimit }),
      ...(options.relaySignIn && { signIn: tokens.accepts }),
    })
    const services: Record<string, Service> = {
      '/api/v0': ipfsService(store, pins),
      '/ipfs': gatewayService(store),
      '/tus': tus.service,
      '/tus-plain': tusPlain.service,
      '/put': putService({ folder: dir.put, tokens, store }),
      '/pinata': pinata.service,
      '/resumable': resumable.service,
      '/resumable-mute': resumableMute.service,
      '/chain': chainProxy(chain.url),
      '/relay': relay.service,
    }

    const faults = new FaultBoard()
    const ledger = new RequestLedger(dir.ledger, log)
    steps.push(() => ledger.end())
    const server = backendServer(
      { ...use, port },
      {
        ledger,
        faults,
        log,
        keepAlive: options.keepAlive ?? false,
        route: (path) =>
          services[
            /^\/(?:api\/v0|ipfs|tus|tus-plain|put|pinata|resumable|resumable-mute|chain|relay)(?=\/|$)/.exec(
              path,
            )?.[0] ?? ''
          ],
        control: controlPaths({
          ledger,
          faults,
          status: () => ({
            endpoints,
            chainRunning: chain.running,
            pins: pins.all().length,
            anchors: journal.all().length,
          }),
        }),
      },
    )
    // Last, so that nobody ever meets half a backend.
    const url = `http://127.0.0.1:${await server.open()}`
    steps.push(async () => {
      faults.clear()
      await server.shut()
    })
    steps.push(lookRegularly(relay, options.relayLooksEveryMs ?? blockTimeSec * 1000))
    const endpoints: Endpoints = {
      ipfs: url,
      gateway: url,
      tus: `${url}/tus`,
      tusPlain: `${url}/tus-plain`,
      put: `${url}/put`,
      pinata: `${url}/pinata`,
      resumable: `${url}/resumable`,
      resumableMute: `${url}/resumable-mute`,
      rpcUrl: `${url}/chain`,
      registry,
      relayUrl: `${url}/relay`,
      chainId,
      pollMs: blockTimeSec * 500,
    }
    return {
      url,
      endpoints,
      ledger,
      faults,
      chain,
      tus: tus.control,
      tusPlain: tusPlain.control,
      pinata: pinata.control,
      resumable: resumable.control,
      resumableMute: resumableMute.control,
      stop,
      pause: () => server.shut(),
      unpause: async () => {
        await server.open()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** One look after the other; stops once the last one is over. */
function lookRegularly(relay: Relay, everyMs: number): () => Promise<void> {
  let looking: Promise<void> | undefined
  if (everyMs === Infinity) return async () => undefined
  const timer = setInterval(() => {
    looking ??= relay
      .look()
      // The next look is soon: a chain that is down or an account without funds is nothing to tell.
      .catch(() => undefined)
      .finally(() => {
        looking = undefined
      })
  }, everyMs).unref()
  return async () => {
    clearInterval(timer)
    await looking
  }
}
