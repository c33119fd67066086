import { recordingLockName } from '../../src/protocol/messages.ts'
import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import { circuitOf } from './circuits.ts'
import { commit } from './commit.ts'
import { nowOf, type Context } from './context.ts'
import { concurrencyAllowed, tellsOfDestination } from '../core/circuit.ts'
import { adaptiveConcurrency, INITIAL_CONCURRENCY } from '../core/concurrency.ts'
import { nextStep, workRemains } from '../core/plan.ts'
import { believedMs } from '../core/retry.ts'
import type { ChunkRecord, SessionRecord } from '../core/record.ts'
import { SEAL_FIRST } from '../core/session.ts'
import { endsEarly, type WakeHolder } from '../core/sync-schedule.ts'
import { policyOf } from './policy.ts'
import { sessionStep } from './session-step.ts'
import { interruptSession } from './sessions.ts'
import { transfer } from './transfer.ts'
import { fairOrder } from './fair-order.ts'

/** Why the worker runs now, and how long the browser lets it, ms (docs/browsers.md). */
export const BUDGETS_MS = { startup: 270_000, message: 270_000, sync: 165_000, push: 75_000 } as const
export type WakeKind = keyof typeof BUDGETS_MS

/** `work-remains`: the wake must ask to be woken again. */
export type Outcome = 'idle' | 'work-remains'

export interface Drain {
  /**
   * Starts a drain, or joins the one that runs; settles when it is over or this wake's budget is.
   *
   * @param canEndEarly settles already when another wake holds the drain for longer, so that this one's tag comes back sooner
   */
  join(kind: WakeKind, canEndEarly?: boolean): Promise<Outcome>
  /** Tells a running drain that there is something new. */
  notify(): void
}

export const DRAIN_LOCK = 'holdfast-drain'

/** Publications at a time; and lanes, for sealing alone where uploads have fewer. */
const MAX_CONCURRENT_PUBLICATIONS = 3
/** Near the end of its budget a drain starts nothing new, ms. */
const WIND_DOWN_MS = 10_000
/** A waiting drain looks at the store at least this often, ms. */
const LOOK_EVERY_MS = 15_000

/** How long the browser is given to register a wake, ms. */
const ARM_TIMEOUT_MS = 5_000
/** It never looks more often than this, unless something new wakes it, ms. */
const SHORTEST_WAIT_MS = 50

/** What one look at the store found to do. */
interface WorkPlan {
  readonly sessions: readonly SessionRecord[]
  readonly chunks: readonly ChunkRecord[]
  /** Lanes, these chunks' included. */
  readonly inUse: number
  readonly publications: readonly SessionId[]
  /** Nothing may leave the device now. */
  readonly suspended: boolean
  /** Whether time or the network alone can bring any session further. */
  readonly remains: boolean
  /** Chunks wait for a time that no wait can be for. */
  readonly clockWasAhead: boolean
  /** When there may be more, ms since the epoch. */
  readonly nextAtMs: number
}

/**
 * One drain at a time, across all wakes, tabs and worker versions: moves every chunk and publication as far as it
 * goes now, then waits for what comes next until its budget ends or nothing is left.
 */
export function createDrain(context: Context): Drain {
  const { store, lock, clock, transport, anchor, wake, metered } = context
  let running: Promise<Outcome> | undefined
  let deadlineMs = 0
  let wakeSignal = new AbortController()
  const watched = new Set<SessionId>()
  const holders = new Map<WakeHolder, AbortController>()
  const takeNext = fairOrder()
  const observeUpload = adaptiveConcurrency()
  let lanes = INITIAL_CONCURRENCY

  let arming: Promise<unknown> | undefined

  /** Asks for the next wake; nothing waits for a browser that does not answer, and it is not asked again meanwhile. */
  async function arm(): Promise<void> {
    if (arming !== undefined) return
    const over = new AbortController()
    arming = wake.arm().finally(() => {
      arming = undefined
      over.abort()
    })
    await Promise.race([arming, clock.sleep(ARM_TIMEOUT_MS, over.signal)])
  }

  const notify = () => wakeSignal.abort()

  function join(kind: WakeKind, canEndEarly = false): Promise<Outcome> {
    const holder = { untilMs: clock.now() + BUDGETS_MS[kind], canEndEarly }
    deadlineMs = running ? Math.max(deadlineMs, holder.untilMs) : holder.untilMs
    running ??= begin()
    notify()
    const drain = running
    const over = new AbortController()
    holders.set(holder, over)
    const outOfTime = clock.sleep(BUDGETS_MS[kind], over.signal).then((): Outcome => 'work-remains')
    return Promise.race([drain, outOfTime]).finally(() => {
      holders.delete(holder)
      over.abort()
    })
  }

  function begin(): Promise<Outcome> {
    const begun = lock.run(DRAIN_LOCK, run).finally(() => {
      // Another may have begun while this one finished.
      if (running === begun) running = undefined
    })
    return begun
  }

  async function run(): Promise<Outcome> {
    const active = new Map<ChunkId | SessionId, Promise<void>>()
    let stop = new AbortController()
    let broken: { error: unknown } | undefined

    const start = (id: ChunkId | SessionId, work: Promise<void>) => {
      const done = work
        .catch((error: unknown) => {
          broken = { error }
        })
        .finally(() => {
          active.delete(id)
          notify()
        })
      active.set(id, done)
    }

    /** Transfers one chunk, and learns from an upload how many lanes the network bears. */
    const transferAndMeasure = async (chunk: ChunkRecord, inUse: number, signal: AbortSignal) => {
      const { state, sizeBytes } = chunk
      const begunMs = clock.now()
      const failure = await transfer(context, chunk, signal)
      // One that had been sent before may have found its bytes there already.
      if (state.status !== 'uploading' || (failure ? !tellsOfDestination(failure) : state.sent)) return
      lanes = observeUpload(inUse, sizeBytes, clock.now() - begunMs, failure !== undefined)
    }

    try {
      for (;;) {
        wakeSignal = new AbortController()
        const look = await planWork(active)
        look.sessions.forEach(watchRecorder)
        if (look.clockWasAhead) {
          await setBack(look.sessions)
          continue
        }
        const windingDown = clock.now() >= deadlineMs - WIND_DOWN_MS
        if (!windingDown && !broken) {
          // A wake has joined after the time was up: what starts now starts with time of its own.
          if (stop.signal.aborted) stop = new AbortController()
          for (const chunk of look.chunks) start(chunk.id, transferAndMeasure(chunk, look.inUse, stop.signal))
          for (const id of look.publications) start(id, sessionStep(context, id, stop.signal))
        }
        if (broken && active.size === 0) throw broken.error
        const { remains, suspended } = look
        if (remains) {
          for (const [holder, over] of holders) if (endsEarly(holder, holders.keys())) over.abort()
          await arm()
        }
        // No wake stays for what is due after it; only a recorder is watched as long as it allows.
        const isEarly = !suspended && look.nextAtMs > deadlineMs - WIND_DOWN_MS && watched.size === 0
        if (active.size === 0 && !wakeSignal.signal.aborted) {
          if (!remains) return finish('idle')
          if (windingDown || isEarly) return finish('work-remains')
        }
        const leftMs = deadlineMs - clock.now()
        if (leftMs <= 0 || suspended) stop.abort()
        const waitMs = Math.min(look.nextAtMs - clock.now(), leftMs > 0 ? leftMs : Infinity, LOOK_EVERY_MS)
        await clock.sleep(Math.max(waitMs, SHORTEST_WAIT_MS), wakeSignal.signal)
      }
    } finally {
      stop.abort()
      await Promise.all(active.values())
    }
  }

  /** Times that were stored under a clock that was ahead are not waited for. */
  const setBack = (sessions: readonly SessionRecord[]) =>
    store.write(async (tx) => {
      for (const { id } of sessions) await commit(tx, id, { type: 'clock-set-back' }, nowOf(clock))
    })

  /** The next join starts afresh: this drain has looked for the last time. */
  function finish(outcome: Outcome): Outcome {
    running = undefined
    return outcome
  }

  function planWork(active: ReadonlyMap<ChunkId | SessionId, unknown>): Promise<WorkPlan> {
    return store.read(async (tx) => {
      const nowMs = clock.now()
      const sessions = await tx.openSessions()
      const policy = await policyOf(tx)
      const remains = policy !== 'paused' && sessions.some(workRemains)
      const suspended = policy === 'paused' || (policy === 'unmetered' && metered())
      const store = await circuitOf(tx, transport.name, nowMs)
      const chain = await circuitOf(tx, anchor.name, nowMs)
      const busy = new Set([...active.keys()] as ChunkId[])

      const chunks: ChunkRecord[] = []
      let nextAtMs = Infinity
      const open = suspended ? 0 : concurrencyAllowed(store, lanes, nowMs)
      const taken = [...busy].filter((id) => id.includes('/')).length
      for (let lane = taken; lane < Math.max(open, MAX_CONCURRENT_PUBLICATIONS); lane++) {
        const chunk = await takeNext(tx, lane < open ? nowMs : SEAL_FIRST, busy)
        if (chunk === undefined) break
        chunks.push(chunk)
        busy.add(chunk.id)
      }
      const inUse = taken + chunks.length
      const chunkAtMs = (await tx.nextDueAtMs(busy)) ?? Infinity
      const clockWasAhead = chunkAtMs !== Infinity && believedMs(chunkAtMs, nowMs) !== chunkAtMs
      if (inUse === 0) nextAtMs = Math.max(chunkAtMs, store.notBeforeMs)
      else if (chunkAtMs > nowMs) nextAtMs = chunkAtMs

      // A few publications at a time too, and one on trial while a destination has failed lately.
      const room = suspended ? 0 : store.failures + chain.failures > 0 ? 1 : MAX_CONCURRENT_PUBLICATIONS
      const publishing = active.size - taken
      const publications: SessionId[] = []
      for (const session of sessions) {
        const step = nextStep(session, nowMs, metered())
        if (step === undefined || active.has(session.id)) continue
        const destinationMs =
          step.kind !== 'publication' ? 0 : notBefore(session, store.notBeforeMs, chain.notBeforeMs)
        const atMs = Math.max(step.dueMs, destinationMs)
        if (atMs > nowMs) nextAtMs = Math.min(nextAtMs, atMs)
        else if (publishing + publications.length < room) publications.push(session.id)
      }
      return {
        sessions,
        chunks,
        inUse,
        publications,
        suspended,
        remains,
        clockWasAhead,
        nextAtMs: suspended ? Infinity : nextAtMs,
      }
    })
  }

  /** The dead-man switch: whoever records holds a lock; its release without an end is a death. */
  function watchRecorder({ id, ending }: SessionRecord): void {
    if (ending !== 'recording' || watched.has(id)) return
    watched.add(id)
    lock
      .released(recordingLockName(id))
      .then(() => interruptSession(context, id))
      .then((interrupted) => {
        if (interrupted) void join('startup').catch(() => undefined)
      })
      .catch(() => undefined)
      .finally(() => watched.delete(id))
  }

  return { join, notify }
}

/** Which destination a publication's next step needs, as the time before which it is not asked. */
function notBefore({ publication }: SessionRecord, storeMs: number, chainMs: number): number {
  if (publication === undefined) return 0
  if (publication.stage === 'anchoring' || publication.manifest === undefined) return chainMs
  return storeMs
}
