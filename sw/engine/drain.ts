import type { SessionId } from '../../src/protocol/ids.ts'
import { change } from './change.ts'
import type { Context } from './context.ts'
import { endsEarly, type WakeHolder } from '../core/sync-schedule.ts'
import { createLanes } from './lanes.ts'
import { planWork, type WorkPlan } from './plan-work.ts'
import { atMost } from './with-timeout.ts'
import { findAgain } from './transfer.ts'
import { fairOrder } from './fair-order.ts'
import { createInFlight, type InFlight } from './in-flight.ts'
import { watchRecorder } from './watch-recorder.ts'
import {
  WIND_DOWN_MS,
  LOOK_EVERY_MS,
  COUNT_EVERY_MS,
  LOCK_LIMIT_MS,
  ARM_TIMEOUT_MS,
  SHORTEST_WAIT_MS,
} from './limits.ts'

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
   * @param isNews whether there may be something new, so that a running drain looks again
   */
  join(kind: WakeKind, canEndEarly?: boolean, isNews?: boolean): Promise<Outcome>
  /** Tells a running drain that there is something new. */
  notify(): void
}

/** A wake that keeps the worker running for a drain, until that or the wake's time is over. */
interface Holder extends WakeHolder {
  readonly drain: Promise<Outcome>
  readonly over: AbortController
}

export const DRAIN_LOCK = 'holdfast-drain'

/**
 * One drain at a time, across all wakes, tabs and worker versions: moves every chunk and publication as far as it
 * goes now, then waits for what comes next until its budget ends or nothing is left.
 */
export function createDrain(context: Context): Drain {
  const { lock, clock, wake, known } = context
  let running: Promise<Outcome> | undefined
  let runs = 0
  let deadlineMs = 0
  let countedAtMs = -Infinity
  let wakeSignal = new AbortController()
  const watched = new Set<SessionId>()
  const holders = new Set<Holder>()
  let newestMessage: Holder | undefined
  const takeNext = fairOrder()
  const lanes = createLanes(clock.ticks)

  let arming: Promise<unknown> | undefined

  /**
   * Asks for the next wake, and lets go of those that come back the sooner. Nothing waits for a browser, or an app, that does
   * not answer, and it is not asked again meanwhile.
   */
  async function arm(): Promise<void> {
    for (const holder of holders) if (endsEarly(holder, holders)) holder.over.abort()
    if (arming) return
    arming = (async () => wake.arm())()
      .catch(() => undefined)
      .finally(() => (arming = undefined))
    await atMost(clock, ARM_TIMEOUT_MS, arming)
  }

  const notify = () => wakeSignal.abort()

  /** A drain whose lock was taken from it stops, and leaves the lanes to the next. */
  function giveWay(): void {
    runs++
    notify()
  }

  async function join(kind: WakeKind, canEndEarly = false, isNews = true): Promise<Outcome> {
    const budgetMs = BUDGETS_MS[kind]
    const untilMs = clock.ticks() + budgetMs
    deadlineMs = running ? Math.max(deadlineMs, untilMs) : untilMs
    running ??= begin()
    if (isNews) notify()
    const holder: Holder = { untilMs, canEndEarly, drain: running, over: new AbortController() }
    holders.add(holder)
    if (kind === 'message') {
      // It holds the worker for longer than those before it, of which a recording has one a chunk.
      newestMessage?.over.abort()
      newestMessage = holder
    }
    await clock.sleep(budgetMs, holder.over.signal)
    holders.delete(holder)
    return running === holder.drain ? 'work-remains' : holder.drain
  }

  function begin(): Promise<Outcome> {
    const nth = ++runs
    let drained: Promise<Outcome> | undefined
    const isLatest = () => nth === runs
    const drainOnce = () => (drained ??= run(isLatest))
    const alone = lock.run(DRAIN_LOCK, drainOnce)
    const begun = atMost(clock, LOCK_LIMIT_MS, alone)
      .catch(() => undefined)
      .then(() => {
        if (drained) return alone
        // Whoever has it for so long hangs, or stops now; where there are no locks this goes on without.
        lock.run(DRAIN_LOCK, drainOnce, true).catch(({ name }: Error) => {
          // Another one took it in turn.
          if (name === 'AbortError' && isLatest()) giveWay()
        })
        return drainOnce()
      })
      .finally(() => {
        // Another may have begun while this one finished.
        if (running === begun) {
          running = undefined
          giveWay()
        }
        for (const { drain, over } of holders) if (drain === begun) over.abort()
      })
    // Told by those who joined; there may be none left.
    begun.catch(() => undefined)
    return begun
  }

  async function run(isLatest: () => boolean): Promise<Outcome> {
    const inFlight = createInFlight(context, lanes, notify)
    try {
      while (isLatest()) {
        wakeSignal = new AbortController()
        const plan = await look(inFlight)
        if (!plan) continue
        const { remains, suspended, nextAtMs } = plan
        const windingDown = clock.ticks() >= deadlineMs - WIND_DOWN_MS
        if (!windingDown) inFlight.start(plan)
        if (remains) await arm()
        const nextInMs = nextAtMs - clock.now()
        const leftMs = deadlineMs - clock.ticks()
        // No wake stays for what is due after it; only a recorder is watched as long as it allows.
        const isEarly = !suspended && nextInMs > leftMs - WIND_DOWN_MS && watched.size === 0
        if (
          inFlight.running.size === 0 &&
          !wakeSignal.signal.aborted &&
          (!remains || windingDown || isEarly)
        ) {
          // The next join starts afresh: this drain has looked for the last time.
          running = undefined
          return remains ? 'work-remains' : 'idle'
        }
        if (leftMs <= 0 || suspended) inFlight.stop()
        const waitMs = Math.min(nextInMs, leftMs > 0 ? leftMs : Infinity, LOOK_EVERY_MS)
        await clock.sleep(Math.max(waitMs, SHORTEST_WAIT_MS), wakeSignal.signal)
      }
      return 'work-remains'
    } finally {
      inFlight.stop()
      if (isLatest()) lanes.allow(0, 0)
      // What heeds no signal, such as a sealer that hangs, keeps no other drain from its turn.
      await atMost(clock, ARM_TIMEOUT_MS, Promise.all(inFlight.running.values()))
    }
  }

  /**
   * Looks at the store, and tells sessions what that found.
   *
   * @returns what to start, and when to look again; undefined where that is to be looked at anew
   */
  async function look(inFlight: InFlight): Promise<WorkPlan | undefined> {
    // What hangs is not waited for.
    inFlight.check()
    // What waits in a lane is told by it that its session is gone.
    if (inFlight.running.size === 0) known.clear()
    const failures = lanes.failures()
    const counts = clock.ticks() - countedAtMs >= COUNT_EVERY_MS
    const planned = () => planWork(context, { ...inFlight, lanes, counts, takeNext })
    // A read that fails once ends nothing that hangs, of which the silence would begin anew.
    const plan = await planned().catch(planned)
    for (const session of plan.sessions) {
      void watchRecorder(context, session, watched, () => void join('startup').catch(() => undefined))
      known.set(session.id, session)
    }
    const { orphans, events } = plan
    if (orphans) {
      countedAtMs = clock.ticks()
      for (const chunk of orphans) await findAgain(context, chunk).catch(() => undefined)
    }
    // All at once, so that they are written together. What cannot be written down is found again by the next look: that
    // ends nothing that hangs, which would begin anew. But nothing goes on of a session that belongs elsewhere.
    const told = await Promise.all(
      events.map(([id, event]) =>
        change(context, id, event).catch((error: unknown) => {
          if (event.type === 'paused') throw error
        }),
      ),
    )
    // What has broken meanwhile ends this before more begins.
    inFlight.check()
    if (orphans?.[0] || told.some(Boolean)) return undefined
    lanes.allow(plan.uploads, deadlineMs - WIND_DOWN_MS, plan.silent, failures)
    return plan
  }

  return { join, notify }
}
