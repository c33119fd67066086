import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import { concurrencyAllowed, type Circuit } from '../core/circuit.ts'
import { nextStep, workRemains } from '../core/plan.ts'
import type { ChunkRecord, SessionRecord } from '../core/record.ts'
import { believedMs } from '../core/retry-policy.ts'
import { SEAL_FIRST } from '../core/session.ts'
import type { ReadTransaction } from '../ports/store.ts'
import { circuitOf } from './circuits.ts'
import type { Context } from './context.ts'
import type { TakeNext } from './fair-order.ts'
import { policyOf } from './policy.ts'

/** Steps of sessions at a time; and lanes, for sealing alone where uploads have fewer. */
const MAX_CONCURRENT_STEPS = 3

/** What a drain has under way already, and what it may use. */
export interface UnderWay {
  readonly transfers: ReadonlyMap<ChunkId, unknown>
  readonly steps: ReadonlyMap<SessionId, unknown>
  /** Uploads that the network bears. */
  readonly lanes: number
  readonly takeNext: TakeNext
}

/** What one look at the store found to do. */
export interface WorkPlan {
  readonly sessions: readonly SessionRecord[]
  /** To transfer now. */
  readonly chunks: readonly ChunkRecord[]
  /** Lanes, these chunks' included. */
  readonly lanesInUse: number
  /** Sessions to take a step further now. */
  readonly steps: readonly SessionId[]
  /** Nothing may leave the device now. */
  readonly suspended: boolean
  /** Whether time or the network alone can bring any session further. */
  readonly remains: boolean
  /** Chunks wait for a time that no wait can be for. */
  readonly clockWasAhead: boolean
  /** When there may be more, ms since the epoch; never while nothing may leave. */
  readonly nextAtMs: number
}

/** Where an object goes, as it was when the plan was made. */
interface Destinations {
  readonly store: Circuit
  readonly chain: Circuit
}

/** Looks at the store, and decides what to start now and when to look again. Changes nothing. */
export function planWork(context: Context, underWay: UnderWay): Promise<WorkPlan> {
  const { store, clock, transport, anchor, metered } = context
  return store.read(async (tx) => {
    const nowMs = clock.now()
    const sessions = await tx.openSessions()
    const policy = await policyOf(tx)
    const suspended = policy === 'paused' || (policy === 'unmetered' && metered())
    const destinations = {
      store: await circuitOf(tx, transport.name, nowMs),
      chain: await circuitOf(tx, anchor.name, nowMs),
    }
    const forChunks = await planTransfers(tx, sessions, underWay, destinations.store, suspended, nowMs)
    const forSessions = planSteps(sessions, underWay, destinations, suspended, metered(), nowMs)
    return {
      ...forChunks,
      ...forSessions,
      sessions,
      suspended,
      remains: policy === 'paused' ? forChunks.sealAtMs < Infinity : sessions.some(workRemains),
      nextAtMs: Math.min(
        forChunks.sealAtMs,
        suspended ? Infinity : Math.min(forChunks.nextAtMs, forSessions.nextAtMs),
      ),
    }
  })
}

interface TransferPlan extends Pick<WorkPlan, 'chunks' | 'lanesInUse' | 'clockWasAhead' | 'nextAtMs'> {
  /** When a raw chunk is sealed again, which needs no network, ms since the epoch. */
  readonly sealAtMs: number
}

/** Fills the free lanes with the next due chunks. Sealing needs no network: it has lanes while uploads have none. */
async function planTransfers(
  tx: ReadTransaction,
  sessions: readonly SessionRecord[],
  { transfers, lanes, takeNext }: UnderWay,
  store: Circuit,
  suspended: boolean,
  nowMs: number,
): Promise<TransferPlan> {
  const busy = new Set(transfers.keys())
  const uploads = suspended ? 0 : concurrencyAllowed(store, lanes, nowMs)
  const chunks: ChunkRecord[] = []
  let sealAtMs = Infinity
  for (let lane = busy.size; lane < Math.max(uploads, MAX_CONCURRENT_STEPS); lane++) {
    const canUpload = lane < uploads
    const chunk =
      (await takeNext(tx, canUpload ? nowMs : SEAL_FIRST, busy)) ??
      (canUpload ? undefined : await nextToSealAgain(tx, sessions, busy))
    if (chunk === undefined) break
    const [atMs] = chunk.due ?? [0]
    if (believedMs(atMs, nowMs) > nowMs) {
      sealAtMs = atMs
      break
    }
    chunks.push(chunk)
    busy.add(chunk.id)
  }
  const lanesInUse = busy.size
  const dueMs = (await tx.nextDueAtMs(busy)) ?? Infinity
  // While a lane is in use its end is what comes next, but for a chunk whose time is still to come.
  const laneMs = lanesInUse === 0 ? Math.max(dueMs, store.notBeforeMs) : Infinity
  return {
    chunks,
    lanesInUse,
    clockWasAhead: dueMs !== Infinity && believedMs(dueMs, nowMs) !== dueMs,
    sealAtMs,
    nextAtMs: lanesInUse > 0 && dueMs > nowMs ? dueMs : laneMs,
  }
}

/** The raw chunk that is due first after its sealing has failed: it stands among the uploads, which may not be let out. */
async function nextToSealAgain(
  tx: ReadTransaction,
  sessions: readonly SessionRecord[],
  busy: ReadonlySet<ChunkId>,
): Promise<ChunkRecord | undefined> {
  let first: ChunkRecord | undefined
  for (const { id, tally } of sessions)
    if (tally.captured > 0)
      for (const chunk of await tx.chunksOf(id))
        if (chunk.state.status === 'captured' && chunk.due && !busy.has(chunk.id))
          if (first?.due === undefined || chunk.due[0] < first.due[0]) first = chunk
  return first
}

/** A few sessions at a time, and one on trial while a destination has failed lately. */
function planSteps(
  sessions: readonly SessionRecord[],
  { steps: underWay }: UnderWay,
  destinations: Destinations,
  suspended: boolean,
  metered: boolean,
  nowMs: number,
): Pick<WorkPlan, 'steps' | 'nextAtMs'> {
  const { store, chain } = destinations
  const allowed = store.failures + chain.failures > 0 ? 1 : MAX_CONCURRENT_STEPS
  const room = suspended ? 0 : allowed - underWay.size
  const steps: SessionId[] = []
  let nextAtMs = Infinity
  for (const session of sessions) {
    const step = nextStep(session, nowMs, metered)
    if (step === undefined || underWay.has(session.id)) continue
    const allowedMs = step.kind === 'publication' ? destinationMs(session, destinations) : 0
    const atMs = Math.max(step.dueMs, allowedMs)
    if (atMs > nowMs) nextAtMs = Math.min(nextAtMs, atMs)
    else if (steps.length < room) steps.push(session.id)
  }
  return { steps, nextAtMs }
}

/** Before this time the destination of a publication's next step is not asked, ms since the epoch. */
function destinationMs({ publication }: SessionRecord, { store, chain }: Destinations): number {
  // To begin one, nobody is asked.
  if (publication === undefined) return 0
  const asksChain = publication.stage === 'anchoring' || publication.manifest === undefined
  return (asksChain ? chain : store).notBeforeMs
}
