import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import { CLOSED, concurrencyAllowed, type Circuit } from '../core/circuit.ts'
import type { Destinations } from '../core/finding.ts'
import { nextSteps, workRemains, type StepKind, type WorkKind } from '../core/plan.ts'
import type { ChunkRecord, SessionRecord } from '../core/record.ts'
import { believedMs } from '../core/retry-policy.ts'
import { dueAtMs, SEAL_FIRST } from '../core/session.ts'
import type { ReadTransaction } from '../ports/store.ts'
import { circuitOf, destinationsOf } from './circuits.ts'
import type { Context } from './context.ts'
import type { TakeNext } from './fair-order.ts'
import { policyOf } from './policy.ts'
import { MAX_CONCURRENT_STEPS, MAX_READY, READY_BYTES } from './limits.ts'

/** One step of a session; at most one of each kind is under way. */
export interface Step {
  readonly kind: StepKind
  readonly id: SessionId
}

/** What is under way, by the kind of step. */
export type StepsUnderWay<Work> = { readonly [Kind in StepKind]: Map<SessionId, Work> }

/** What a drain has under way already, and what it may use. */
export interface UnderWay {
  readonly transfers: ReadonlyMap<ChunkId, unknown>
  readonly steps: StepsUnderWay<unknown>
  /** Uploads that the network bears. */
  readonly lanes: number
  readonly takeNext: TakeNext
}

/** What one look at the store found to do. */
export interface WorkPlan {
  readonly sessions: readonly SessionRecord[]
  readonly destinations: Destinations
  /** To transfer now. */
  readonly chunks: readonly ChunkRecord[]
  /** Uploads that may be under way now, of those and of these. */
  readonly uploads: number
  /** To take now. */
  readonly steps: readonly Step[]
  /** Nothing may leave the device now. */
  readonly suspended: boolean
  /** Whether time or the network alone can bring any session further. */
  readonly remains: boolean
  /** Chunks wait for a time that no wait can be for. */
  readonly clockWasAhead: boolean
  /** When there may be more, ms since the epoch; never while nothing may leave. */
  readonly nextAtMs: number
}

/** Looks at the store, and decides what to start now and when to look again. Changes nothing. */
export function planWork(context: Context, underWay: UnderWay): Promise<WorkPlan> {
  const { store, clock, metered } = context
  return store.read(async (tx) => {
    const nowMs = clock.now()
    const asked = destinationsOf(context)
    const health = (kind: WorkKind) => circuitOf(tx, asked[kind], nowMs)
    const [sessions, policy, listing, witness, completion] = await Promise.all([
      tx.openSessions(),
      policyOf(tx),
      health('listing'),
      health('witness'),
      health('completion'),
    ])
    const suspended = policy === 'paused' || (policy === 'unmetered' && metered())
    const destinations = { listing, witness, completion }
    const forChunks = await planTransfers(tx, underWay, listing, suspended, nowMs)
    const forSessions = planSteps(sessions, underWay, destinations, suspended, metered(), nowMs)
    return {
      ...forChunks,
      ...forSessions,
      sessions,
      destinations,
      suspended,
      remains: policy === 'paused' ? forChunks.sealAtMs < Infinity : sessions.some(workRemains),
      nextAtMs: Math.min(
        forChunks.sealAtMs,
        suspended ? Infinity : Math.min(forChunks.nextAtMs, forSessions.nextAtMs),
      ),
    }
  })
}

interface TransferPlan extends Pick<WorkPlan, 'chunks' | 'uploads' | 'clockWasAhead' | 'nextAtMs'> {
  /** When a raw chunk is sealed again, which needs no network, ms since the epoch. */
  readonly sealAtMs: number
}

/**
 * Fills the free lanes with the next due chunks, and has some more made ready for them. Sealing needs no network: it has
 * lanes while uploads have none.
 */
async function planTransfers(
  tx: ReadTransaction,
  { transfers, lanes, takeNext }: UnderWay,
  store: Circuit,
  suspended: boolean,
  nowMs: number,
): Promise<TransferPlan> {
  const busy = new Set(transfers.keys())
  const uploads = suspended ? 0 : concurrencyAllowed(store, lanes, nowMs)
  const chunks: ChunkRecord[] = []
  const firstUpload = () => tx.nextDue([[0], [Infinity]], busy)
  const next = await firstUpload()
  // Whoever asks whether a store is back asks with one.
  const most = uploads > 0 && store.failures === 0 ? uploads + readyAhead(next?.sizeBytes) : uploads
  const firstRaw = () => tx.nextDue([[SEAL_FIRST], [0]], busy)
  let raw = await firstRaw()
  for (let lane = busy.size; lane < Math.max(most, MAX_CONCURRENT_STEPS); lane++) {
    const isRawDue = dueAtMs(raw) <= nowMs && lane < Math.max(uploads, MAX_CONCURRENT_STEPS)
    const chunk = isRawDue ? raw : lane < most ? await takeNext(tx, nowMs, busy) : undefined
    if (!chunk) break
    chunks.push(chunk)
    busy.add(chunk.id)
    if (isRawDue) raw = await firstRaw()
  }
  const rawMs = dueAtMs(raw)
  const uploadMs = dueAtMs(chunks.length > 0 ? await firstUpload() : next)
  const ifLater = (atMs: number) => (atMs > nowMs ? atMs : Infinity)
  return {
    chunks,
    uploads,
    clockWasAhead: [rawMs, uploadMs].some((ms) => ms !== Infinity && believedMs(ms, nowMs) !== ms),
    sealAtMs: ifLater(rawMs),
    // While a lane is in use its end is what comes next, but for a chunk whose time is still to come.
    nextAtMs: busy.size > 0 ? ifLater(uploadMs) : Math.max(uploadMs, store.notBeforeMs),
  }
}

/** How many chunks are made ready while the lanes are in use: the smaller they are, the more. */
const readyAhead = (sizeBytes = Infinity) => Math.min(MAX_READY, Math.floor(READY_BYTES / sizeBytes))

/** A few steps of each kind at a time, and one on trial while their destination has failed lately. */
function planSteps(
  sessions: readonly SessionRecord[],
  { steps: underWay }: UnderWay,
  destinations: { readonly [Kind in StepKind]?: Circuit },
  suspended: boolean,
  metered: boolean,
  nowMs: number,
): Pick<WorkPlan, 'steps' | 'nextAtMs'> {
  const steps: Step[] = []
  let nextAtMs = Infinity
  for (const session of sessions)
    for (const { kind, dueMs } of nextSteps(session, nowMs, metered)) {
      const { id } = session
      const { failures, notBeforeMs } = destinations[kind] ?? CLOSED
      if (underWay[kind].has(id)) continue
      // To make a page, nobody is asked.
      const asksNobody = kind === 'listing' && !session.listing
      const atMs = asksNobody ? dueMs : Math.max(dueMs, notBeforeMs)
      const running = underWay[kind].size + steps.filter((step) => step.kind === kind).length
      if (atMs > nowMs) nextAtMs = Math.min(nextAtMs, atMs)
      else if (!suspended && running < (failures > 0 ? 1 : MAX_CONCURRENT_STEPS)) steps.push({ kind, id })
    }
  return { steps, nextAtMs }
}
