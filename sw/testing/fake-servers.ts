import { HoldfastError, type ErrorCode } from '../../src/protocol/errors.ts'
import { contentAddress } from '../../src/evidence/cid.ts'
import { witnessByChain } from '../engine/witness.ts'
import type { Anchor, AnchorRequest, WitnessedHead } from '../ports/anchor.ts'
import type { Clock } from '../ports/platform.ts'
import type { RemoteState, Transport } from '../ports/transport.ts'
import type { WorkerLifetime } from './worker-lifetime.ts'

/** One line of a server's ledger: the oracle of what really left the device. */
export interface LedgerLine {
  readonly op: 'probe' | 'send' | 'read' | 'submit' | 'events'
  /** The object's CID, or the session's name. */
  readonly of: string
  readonly atMs: number
  readonly taken: boolean
}

/** What goes wrong with a request: before the server took it, or on the way back. */
export interface Fault {
  readonly code: ErrorCode
  readonly retryAfterMs?: number
  /** The server did as asked, and only its answer is lost. */
  readonly after?: boolean
}

export type FaultPlan = (op: LedgerLine['op'], of: string) => Fault | undefined

const fault = ({ code, retryAfterMs = 0 }: Fault) =>
  new HoldfastError(code, `A fake ${code}.`, { retryAfterMs })

interface Server {
  readonly ledger: LedgerLine[]
  /** Set by a test; asked at each request. */
  fault: FaultPlan
}

export interface FakeStoreServer extends Server {
  /** How often it took each object. */
  readonly stored: Map<string, number>
  readonly bytes: Map<string, Uint8Array<ArrayBuffer>>
  /** Each request takes this long. */
  latencyMs: number
  transportOf(lifetime: WorkerLifetime): Transport
  sends(cid: string): number
}

/** A content-addressed store that refuses bytes under a wrong address. */
export function fakeStoreServer(clock: Clock): FakeStoreServer {
  const server: FakeStoreServer = {
    ledger: [],
    stored: new Map(),
    bytes: new Map(),
    fault: () => undefined,
    latencyMs: 0,
    sends: (cid) => server.ledger.filter((line) => line.op === 'send' && line.of === cid).length,
    transportOf: (lifetime) => ({
      name: 'fake-store',
      probe: ({ cid }, { signal }) =>
        lifetime.effect(() =>
          request<RemoteState>('probe', cid, signal, async () =>
            server.stored.has(cid) ? { kind: 'all', proved: true } : { kind: 'nothing' },
          ),
        ),
      send: ({ cid, sizeBytes }, bytes, _held, { signal }) =>
        lifetime.effect(() =>
          request('send', cid, signal, async () => {
            if ((await contentAddress(bytes)) !== cid || bytes.byteLength !== sizeBytes)
              throw new Error(`The engine sent other bytes than ${cid}`)
            server.stored.set(cid, (server.stored.get(cid) ?? 0) + 1)
            server.bytes.set(cid, bytes)
            return 'proved' as const
          }),
        ),
      verify: () => Promise.reject(new Error('Nothing that this store says needs to be verified')),
    }),
  }
  const request = async <T>(
    op: LedgerLine['op'],
    of: string,
    signal: AbortSignal,
    work: () => Promise<T>,
  ) => {
    if (server.latencyMs > 0) await clock.sleep(server.latencyMs, signal)
    if (signal.aborted) throw new HoldfastError('aborted', 'The request was stopped.')
    return answer(server, clock, op, of, work)
  }
  return server
}

async function answer<T>(
  server: Server,
  clock: Clock,
  op: LedgerLine['op'],
  of: string,
  work: () => Promise<T>,
): Promise<T> {
  const wrong = server.fault(op, of)
  server.ledger.push({ op, of, atMs: clock.now(), taken: wrong === undefined || wrong.after === true })
  if (wrong && !wrong.after) throw fault(wrong)
  const result = await work()
  if (wrong) throw fault(wrong)
  return result
}

export interface FakeChain extends Server {
  /** Heads that the chain holds, each with its block. */
  readonly entries: { readonly block: number; readonly request: AnchorRequest }[]
  /** Blocks that must hold a head, its own included. */
  depth: number
  anchorOf(lifetime: WorkerLifetime): Anchor
  submits(): number
}

export const BLOCK_MS = 2_000

/** A chain that grows with time, and a relay that puts a head into the next block. */
export function fakeChain(clock: Clock): FakeChain {
  const startMs = clock.now()
  const blockNumber = () => 100 + Math.floor((clock.now() - startMs) / BLOCK_MS)
  /** What was taken up to a block, oldest first: a head that is no larger than another before it changes nothing. */
  const takenBy = (name: string, block: number) => {
    const taken: FakeChain['entries'][number][] = []
    for (const entry of chain.entries) {
      const { request, block: at } = entry
      const held = taken.at(-1)?.request.head.size ?? 0
      if (request.head.name === name && at <= block && request.head.size > held) taken.push(entry)
    }
    return taken
  }
  const seenAt = (name: string, block: number): WitnessedHead | undefined => {
    const taken = takenBy(name, block)
    const [first, held] = [taken[0], taken.at(-1)]
    if (first === undefined || held === undefined) return undefined
    const { size, root, page, end } = held.request.head
    const blockAtMs = startMs + (held.block - 100) * BLOCK_MS
    return { size, root, page, end, blockNumber: held.block, blockAtMs, firstBlock: first.block }
  }

  const chain: FakeChain = {
    ledger: [],
    entries: [],
    depth: 2,
    fault: () => undefined,
    submits: () => chain.ledger.filter(({ op }) => op === 'submit').length,
    anchorOf: (lifetime) => ({
      name: 'fake-chain',
      identity: 'fake-chain',
      witness: witnessByChain,
      pollMs: 1_000,
      everyMs: 5_000,
      read: (name) =>
        lifetime.effect(() =>
          answer(chain, clock, 'read', name, async () => {
            const latest = seenAt(name, blockNumber())
            const deep = seenAt(name, blockNumber() - chain.depth + 1)
            return { blockNumber: blockNumber(), ...(latest && { latest }), ...(deep && { deep }) }
          }),
        ),
      submit: (request) =>
        lifetime.effect(() =>
          answer(chain, clock, 'submit', request.head.name, async () => {
            chain.entries.push({ block: blockNumber() + 1, request })
          }),
        ),
      events: (name, from, to) =>
        lifetime.effect(() =>
          answer(chain, clock, 'events', name, async () =>
            takenBy(name, to).flatMap(({ block, request: { head } }, at, taken) => {
              if (block < from) return []
              const { size, root, page, end, groups } = head
              const previousBlock = taken[at - 1]?.block ?? 0
              const blockHash = `0x${block.toString(16).padStart(64, '0')}`
              const receipt = { transactionHash: `0x${'7'.repeat(64)}`, blockHash }
              return [{ size, root, page, end, groups, previousBlock, receipt }]
            }),
          ),
        ),
    }),
  }
  return chain
}
