import { HoldfastError, type ErrorCode } from '../../src/protocol/errors.ts'
import { contentAddress } from '../../src/evidence/cid.ts'
import type { Anchor, AnchorRequest } from '../ports/anchor.ts'
import type { Clock } from '../ports/platform.ts'
import type { RemoteState, Transport } from '../ports/transport.ts'
import type { WorkerLifetime } from './worker-lifetime.ts'

/** One line of a server's ledger: the oracle of what really left the device. */
export interface LedgerLine {
  readonly op: 'probe' | 'send' | 'uploader' | 'read' | 'submit'
  /** The object's CID, or the session. */
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
  readonly stored: Map<string, number>
  /** Each request takes this long. */
  latencyMs: number
  transportOf(life: WorkerLifetime): Transport
  sends(cid: string): number
}

/** A content-addressed store that refuses bytes under a wrong address. */
export function fakeStoreServer(clock: Clock): FakeStoreServer {
  const server: FakeStoreServer = {
    ledger: [],
    stored: new Map(),
    fault: () => undefined,
    latencyMs: 0,
    sends: (cid) => server.ledger.filter((line) => line.op === 'send' && line.of === cid).length,
    transportOf: (life) => ({
      name: 'fake-store',
      probe: ({ cid }, { signal }) =>
        life.effect(() =>
          request<RemoteState>('probe', cid, signal, async () =>
            server.stored.has(cid) ? { kind: 'all', proved: true } : { kind: 'nothing' },
          ),
        ),
      send: ({ cid, sizeBytes }, bytes, _held, { signal }) =>
        life.effect(() =>
          request('send', cid, signal, async () => {
            if ((await contentAddress(bytes)) !== cid || bytes.byteLength !== sizeBytes)
              throw new Error(`The engine sent other bytes than ${cid}`)
            server.stored.set(cid, (server.stored.get(cid) ?? 0) + 1)
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
  /** Anchors that the chain holds, each with its block. */
  readonly entries: { readonly block: number; readonly request: AnchorRequest }[]
  /** Who the chain says has signed them. */
  creator: string
  /** Anchors that the relay took, by idempotency key. */
  readonly relayed: Map<string, number>
  anchorOf(life: WorkerLifetime): Anchor
  submits(): number
}

export const BLOCK_MS = 2_000
const DEPTH = 2
const SIGNER = `0x${'ab'.repeat(20)}`

/** A chain that grows with time, and a relay that puts an anchor into the next block. */
export function fakeChain(clock: Clock): FakeChain {
  const startMs = clock.now()
  const blockNumber = () => 100 + Math.floor((clock.now() - startMs) / BLOCK_MS)
  const seenAt = (sessionId: string, block: number) => {
    const entry = chain.entries.findLast(
      ({ request, block: at }) => request.sessionId === sessionId && at <= block,
    )
    return entry && { creator: chain.creator, ...entry.request }
  }

  const chain: FakeChain = {
    ledger: [],
    entries: [],
    creator: SIGNER,
    relayed: new Map(),
    fault: () => undefined,
    submits: () => chain.ledger.filter(({ op }) => op === 'submit').length,
    anchorOf: (life) => ({
      name: 'fake-chain',
      pollMs: 1_000,
      uploader: () => life.effect(() => answer(chain, clock, 'uploader', '', async () => SIGNER)),
      read: (sessionId) =>
        life.effect(() =>
          answer(chain, clock, 'read', sessionId, async () => {
            const latest = seenAt(sessionId, blockNumber())
            const deep = seenAt(sessionId, blockNumber() - DEPTH + 1)
            return { blockNumber: blockNumber(), ...(latest && { latest }), ...(deep && { deep }) }
          }),
        ),
      submit: (anchor) =>
        life.effect(() =>
          answer(chain, clock, 'submit', anchor.sessionId, async () => {
            const key = `${anchor.sessionId}/${anchor.manifestCid}`
            const times = chain.relayed.get(key) ?? 0
            chain.relayed.set(key, times + 1)
            chain.entries.push({ block: blockNumber() + 1, request: anchor })
          }),
        ),
    }),
  }
  return chain
}
