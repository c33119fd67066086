import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import { CLOSED, concurrencyAllowed, type Circuit } from '../core/circuit.ts'
import { finding, needsStore } from '../core/finding.ts'
import { stepsDueMs, workRemains, type StepKind, type WorkKind } from '../core/plan.ts'
import type { ChunkRecord, MayLeave, SessionRecord, TrialKind } from '../core/record.ts'
import type { SessionEvent } from '../core/session-event.ts'
import { FAILURES_TO_TELL, SEAL_FIRST } from '../core/limits.ts'
import { dueAtMs, isInPlace, isOpen, TO_SEAL, TO_SEND, totalChunks } from '../core/session.ts'
import { isShared } from '../core/trial.ts'
import type { ReadTransaction } from '../ports/store.ts'
import { destinationsOf } from './circuits.ts'
import { circuitsIn } from '../health/stored-circuits.ts'
import type { Context } from './context.ts'
import type { TakeNext } from './fair-order.ts'
import type { Lanes } from './lanes.ts'
import { sendsUnread } from './payload.ts'
import { policyOf } from './policy.ts'
import { silenceIn, type Delivering } from './silence.ts'
import { MAX_CONCURRENT_STEPS, READY_BYTES } from './limits.ts'

/** One step of a session that asks somebody; at most one of each kind is under way. */
export interface Step {
  readonly kind: WorkKind
  readonly session: SessionRecord
  /** By which it is known while it is under way. */
  readonly key: string
}

/** What a drain has under way already, and what it may use. */
export interface UnderWay {
  /** Chunks by id, in the order in which they began. */
  readonly moving: ReadonlyMap<ChunkId, ChunkRecord>
  /** Those, and steps of sessions by their key. */
  readonly running: ReadonlyMap<string, unknown>
  readonly lanes: Pick<Lanes, 'bears' | 'ready'>
  /** Whether sessions are to be counted anew, and lost ones looked for. */
  readonly counts: boolean
  readonly takeNext: TakeNext
}

/** What one look at the store found to do. */
export interface WorkPlan {
  readonly sessions: readonly SessionRecord[]
  /** To be told to sessions before anything starts. */
  readonly events: readonly (readonly [SessionId, SessionEvent])[]
  /** One chunk of each session whose record is lost, or the mark of which. */
  readonly orphans: readonly ChunkRecord[] | undefined
  /** To transfer now. */
  readonly chunks: readonly ChunkRecord[]
  /** Uploads that may be under way now, of those and of these. */
  readonly uploads: number
  /** Sessions of which none of them begins now: nothing is heard of what is in the lanes. */
  readonly silent: readonly SessionId[]
  /** To take now. */
  readonly steps: readonly Step[]
  /** Nothing may leave the device now. */
  readonly suspended: boolean
  /** Whether time or the network alone can bring any session further. */
  readonly remains: boolean
  /** When there may be more, ms since the epoch; never while nothing may leave. */
  readonly nextAtMs: number
}

/** Looks at the store, and decides what to start now and when to look again. Changes nothing. */
export function planWork(context: Context, underWay: UnderWay): Promise<WorkPlan> {
  const { store, clock, metered, identity, ailing } = context
  return store.read(async (tx) => {
    const nowMs = clock.now()
    const asked = destinationsOf(context)
    const busy = new Set(underWay.moving.keys())
    const [sessions, policy, circuitOf] = await Promise.all([
      tx.openSessions(),
      policyOf(tx),
      circuitsIn(tx, nowMs),
      // Most of what is asked below is about the first of each part, which the transaction then knows.
      ...[TO_SEAL, TO_SEND].map((part) => tx.nextDue(part, busy)),
    ])
    const health = (kind: WorkKind) => {
      const circuit = circuitOf(asked[kind])
      ailing[circuit.failures > 0 ? 'add' : 'delete'](asked[kind])
      return circuit
    }
    const destinations = {
      listing: health('listing'),
      witness: health('witness'),
      completion: health('completion'),
    }
    const suspended = policy === 'paused' || (policy === 'unmetered' && metered())
    // What is sent unread is in nobody's memory before its turn.
    const readyBytes = sendsUnread(context) ? Infinity : READY_BYTES
    const { silent, inLanes } = silenceIn(context, underWay.lanes.bears())
    const forChunks = await planTransfers(
      tx,
      sessions,
      underWay,
      inLanes,
      busy,
      destinations.listing,
      suspended,
      readyBytes,
      nowMs,
    )
    const mayLeave = suspended ? 'nothing' : metered() ? 'small' : 'all'
    const forSessions = planSteps(sessions, underWay, silent, destinations, mayLeave, nowMs)
    const alwaysMs = Math.min(forChunks.sealAtMs, forSessions.nextAtMs)
    // It takes the longer the more chunks there are: where more begins than moves, as at first, that does not wait for it.
    const counts = underWay.counts && underWay.moving.size >= forChunks.chunks.length
    const orphans = counts ? await orphansIn(tx, sessions) : undefined
    for (const session of sessions) {
      const isCounted =
        !orphans ||
        ((await tx.count(session.id)) === totalChunks(session) &&
          // While a lane is free whatever waits for one waits for a time, or has lost its place: then no look finds it.
          (busy.size >= forChunks.uploads ||
            !needsStore(session) ||
            (await tx.chunksOf(session.id)).every((chunk) => isInPlace(chunk, session))))
      const isBehind = forSessions.behind.includes(session) || (inLanes.length > 0 && needsStore(session))
      const waitsFor = silent.find(({ sessionId }) => isBehind || sessionId === session.id)
      const event = isCounted
        ? finding(session, identity, destinations, nowMs, waitsFor?.untilMs)
        : ({ type: 'recounted' } as const)
      if (event) forSessions.events.push([session.id, event])
    }
    return {
      ...forChunks,
      ...forSessions,
      silent: inLanes,
      orphans,
      sessions,
      suspended,
      remains: policy === 'paused' ? alwaysMs < Infinity : sessions.some(workRemains),
      nextAtMs: suspended ? alwaysMs : Math.min(forChunks.nextAtMs, alwaysMs),
    }
  })
}

/**
 * Goes from session to session by the ids of their chunks: one question each, however many chunks it has.
 *
 * @param found the sessions that have something left to do, as far as their mark tells
 */
async function orphansIn(tx: ReadTransaction, found: readonly SessionRecord[]): Promise<ChunkRecord[]> {
  const orphans: ChunkRecord[] = []
  for (let chunk = await tx.chunkAfter(''); chunk; chunk = await tx.chunkAfter(chunk.sessionId)) {
    const { sessionId } = chunk
    if (found.some(({ id }) => id === sessionId)) continue
    const session = await tx.session(sessionId)
    if (!session || isOpen(session)) orphans.push(chunk)
  }
  return orphans
}

interface TransferPlan extends Pick<WorkPlan, 'chunks' | 'uploads' | 'nextAtMs'> {
  /** When a raw chunk is sealed again, which needs no network, ms since the epoch. */
  readonly sealAtMs: number
}

/**
 * Fills the free lanes with the next due chunks, and has some more made ready for them, bounded by number and bytes. Sealing
 * needs no network and no lane: a few raw chunks at a time, however many uploads there are.
 *
 * @param busy the chunks under way, to which it adds those that it has begin
 */
async function planTransfers(
  tx: ReadTransaction,
  sessions: readonly SessionRecord[],
  { moving, lanes, takeNext }: UnderWay,
  silent: readonly SessionId[],
  busy: Set<ChunkId>,
  store: Circuit,
  suspended: boolean,
  mostReadyBytes: number,
  nowMs: number,
): Promise<TransferPlan> {
  const sending = [...moving.values()].filter(({ state }) => state.seal)
  const sealing = [...moving.values()].filter(({ state }) => !state.seal)
  const borne = suspended ? 0 : concurrencyAllowed(store, lanes.bears(), nowMs)
  const uploads = borne && borne + Math.min(1, silent.length)
  // Whoever asks whether a store is back asks with one.
  const most = uploads && store.failures === 0 ? uploads + lanes.ready() : uploads
  const chunks: ChunkRecord[] = []
  const start = (chunk: ChunkRecord) => {
    chunks.push(chunk)
    busy.add(chunk.id)
  }
  const failing = sessions.filter(({ parkedRaw }) => parkedRaw > 0).map(({ id }) => id)
  while (sealing.length < Math.max(uploads, MAX_CONCURRENT_STEPS)) {
    const raw = await nextRaw(tx, busy, [...failing, ...sealing.map(({ sessionId }) => sessionId)], nowMs)
    if (!raw) break
    start(raw)
    sealing.push(raw)
  }
  while (sending.length < most) {
    const chunk = await takeNext(tx, nowMs, busy, silent)
    if (!chunk || silent.includes(chunk.sessionId)) break
    sending.push(chunk)
    const readyBytes = sending.slice(uploads).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    if (readyBytes > mostReadyBytes) break
    start(chunk)
  }
  const uploadMs = dueAtMs(await tx.nextDue(TO_SEND, busy))
  const ifLater = (atMs: number) => (atMs > nowMs ? atMs : Infinity)
  return {
    chunks,
    uploads,
    sealAtMs: ifLater(dueAtMs(await tx.nextDue(TO_SEAL, busy))),
    // While a lane is in use its end is what comes next, but for a chunk whose time is still to come.
    nextAtMs: busy.size > 0 ? ifLater(uploadMs) : Math.max(uploadMs, store.notBeforeMs),
  }
}

/**
 * The next chunk to seal: of another session than these, where there is one, or those that hang would stop others.
 *
 * @param last of which one is being sealed, or could not be
 */
async function nextRaw(
  tx: ReadTransaction,
  busy: ReadonlySet<ChunkId>,
  last: readonly SessionId[],
  nowMs: number,
): Promise<ChunkRecord | undefined> {
  const upTo = [SEAL_FIRST, nowMs, Infinity]
  const first = await tx.nextDue([[SEAL_FIRST], upTo], busy)
  let next = first
  while (next && last.includes(next.sessionId))
    next = await tx.nextDue([[...next.due!.slice(0, -1), Infinity], upTo], busy)
  return next ?? first
}

/**
 * A few steps of each kind at a time, and one on trial once their destination has failed so often that those that wait for
 * their turn are told. Trials of what is parked ask nobody; of sessions that were refused together one is tried, which stands
 * for the others, due or not.
 *
 * @param silent requests of which nothing is heard: once that is told, they keep no other step from its turn
 * @returns with the sessions that wait behind those
 */
function planSteps(
  sessions: readonly SessionRecord[],
  underWay: UnderWay,
  silent: readonly Delivering[],
  destinations: { readonly [Kind in StepKind]?: Circuit },
  mayLeave: MayLeave,
  nowMs: number,
): Pick<WorkPlan, 'steps' | 'nextAtMs'> & {
  readonly events: (readonly [SessionId, SessionEvent])[]
  readonly behind: readonly SessionRecord[]
} {
  const steps: Step[] = []
  const events: (readonly [SessionId, SessionEvent])[] = []
  const behind: SessionRecord[] = []
  const isTold = ({ sessionId }: Delivering) =>
    !sessions.some(({ id, trouble, paused }) => id === sessionId && !trouble && !paused)
  /** Sessions that stand for those that were refused together with them. */
  const tried: SessionRecord[] = []
  const isTried = (session: SessionRecord) => tried.some((other) => isShared(other, session))
  const tryNow = ({ id, trials }: SessionRecord, of: TrialKind, isShared?: boolean) =>
    events.push([id, { type: 'trial-due', of, mayLeave, isShared, setAtMs: trials![of]!.setAtMs }])
  const keys = [...underWay.running.keys()]
  let nextAtMs = Infinity
  const waiting = sessions
    .flatMap((session) =>
      (Object.entries(stepsDueMs(session, mayLeave)) as [StepKind, number][]).map(([kind, dueMs]) => ({
        session,
        kind,
        dueMs,
      })),
    )
    // What has waited longest goes first: one that fails at each trial keeps no other from its own.
    .sort((a, b) => a.dueMs - b.dueMs)
  for (const { session, kind, dueMs } of waiting) {
    const key = `${kind} ${session.id}`
    if (keys.includes(key)) continue
    const { failures, notBeforeMs } = destinations[kind] ?? CLOSED
    const atMs = Math.max(dueMs, notBeforeMs)
    const ofKind = keys.filter((other) => other.startsWith(kind))
    const hushed = silent.filter(({ sessionId }) => ofKind.includes(`${kind} ${sessionId}`))
    const running = ofKind.length - hushed.filter(isTold).length
    const most = failures >= FAILURES_TO_TELL ? 1 : MAX_CONCURRENT_STEPS
    if (atMs > nowMs) nextAtMs = Math.min(nextAtMs, atMs)
    else if (kind === 'sign-in' || kind === 'refusal') {
      if (kind === 'refusal') {
        if (isTried(session)) continue
        tried.push(session)
      }
      tryNow(session, kind)
    } else if (running < most) {
      steps.push({ kind, session, key })
      keys.push(key)
    } else if (hushed.length >= most) behind.push(session)
  }
  for (const session of sessions)
    if (!session.paused && isTried(session) && !tried.includes(session)) tryNow(session, 'refusal', true)
  return { events, steps, behind, nextAtMs }
}
