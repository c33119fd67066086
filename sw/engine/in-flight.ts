import type { ChunkId } from '../../src/protocol/ids.ts'
import { TRIAL_KINDS } from '../core/trial.ts'
import type { ChunkRecord, SessionRecord } from '../core/record.ts'
import { LOOKS_APART_MS } from '../core/waits.ts'
import { change } from './change.ts'
import type { Context } from './context.ts'
import type { Lanes } from './lanes.ts'
import { SHORTEST_WAIT_MS } from './limits.ts'
import type { WorkPlan } from './plan-work.ts'
import { sessionStep } from './session-step.ts'
import { withTimeout } from './with-timeout.ts'
import { transfer } from './transfer.ts'

/** What one drain has under way. */
export interface InFlight {
  /** Transfers by their chunk's id, and steps of sessions by their key. */
  readonly running: ReadonlyMap<string, Promise<unknown>>
  /** The chunks among them, in the order in which they began. */
  readonly moving: ReadonlyMap<ChunkId, ChunkRecord>
  /** Starts what a look found: transfers, steps of sessions, and a look at what has settled. */
  start(plan: WorkPlan): void
  /** Aborts all of them; what does not heed its signal goes on. */
  stop(): void
  /** @throws what ended one of them: the failure of a store */
  check(): void
}

/** @param notify to look again: something is over */
export function createInFlight(context: Context, lanes: Lanes, notify: () => void): InFlight {
  const { clock, watch } = context
  const running = new Map<string, Promise<unknown>>()
  const moving = new Map<ChunkId, ChunkRecord>()
  let stop = new AbortController()
  let nextLookMs = 0
  let soon: Promise<unknown> | undefined
  let broken: { error: unknown } | undefined

  /** @param work resolves to whether there may be a next step at once */
  const run = (id: string, work: Promise<boolean | void>) => {
    const done = work
      .catch((error: unknown) => {
        broken = { error }
        notify()
      })
      .then((hasNext) => {
        running.delete(id)
        moving.delete(id as ChunkId)
        if (hasNext || running.size <= lanes.bears()) notify()
        // One look for several that are over, while others are ready in their place.
        else
          soon ??= clock.sleep(SHORTEST_WAIT_MS, stop.signal).finally(() => {
            soon = undefined
            notify()
          })
      })
    running.set(id, done)
  }

  /**
   * After an upload went through: what is parked in other sessions is tried soon, since it may go through as well. A sign-in
   * that works here may work there. That a refusal there has passed is likely only where this chunk was on trial too.
   */
  async function hastenTrials(sessions: readonly SessionRecord[], { sessionId, state, effort }: ChunkRecord) {
    // It was sealed, and nobody asked.
    if (state.status !== 'uploading') return
    const of = effort?.onTrial ? TRIAL_KINDS : (['sign-in'] as const)
    for (const { id, trials } of sessions)
      if (id !== sessionId && of.some((kind) => trials?.[kind]))
        await change(context, id, { type: 'hoped', of })
  }

  return {
    running,
    moving,
    start({ sessions, chunks, steps, suspended }) {
      // A wake has joined after the time was up: what starts now starts with time of its own.
      if (stop.signal.aborted) stop = new AbortController()
      const { signal } = stop
      for (const chunk of chunks) {
        const session = sessions.find(({ id }) => id === chunk.sessionId)
        moving.set(chunk.id, chunk)
        const work = lanes.upload(chunk, (inLane) => transfer(context, chunk, signal, session, inLane))
        run(
          chunk.id,
          work.then((failure) => (failure ? notify() : hastenTrials(sessions, chunk))),
        )
      }
      for (const { key, kind, session } of steps) run(key, sessionStep(context, session, kind, signal))
      if (watch && !suspended && !running.has('watch') && clock.ticks() >= nextLookMs) {
        const look = withTimeout(clock, 0, signal, async (until) => watch(context, until))
        const looked = () => void (nextLookMs = clock.ticks() + LOOKS_APART_MS)
        // No work depends on it, so one that failed waits for its next time.
        run('watch', look.then(looked, looked))
      }
    },
    stop: () => stop.abort(),
    check() {
      if (broken) throw broken.error
    },
  }
}
