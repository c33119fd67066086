import { attemptCanEndEarly } from '../core/sync-schedule.ts'
import type { Reply } from '../../src/protocol/messages.ts'
import type { Context } from './context.ts'
import { createDrain, type Drain, type Outcome } from './drain.ts'
import { HOOK_LIMIT_MS } from './limits.ts'
import { isQuestion, reply } from './requests.ts'
import { atMost } from './with-timeout.ts'

/** What of a `SyncEvent` matters here. */
export interface SyncAttempt {
  readonly tag: string
  readonly lastChance: boolean
}

/** The engine as the worker's events drive it. A failing store is `work-remains`: the next wake goes on. */
export interface Engine {
  /** Answers a page's message, then drains for as long as the event may run. */
  receive(data: unknown, answer: (reply: Reply) => void): Promise<Outcome>
  /** Drains; rejects while work remains, as a `sync` event must. */
  sync(attempt?: SyncAttempt): Promise<void>
  /** Drains within the time of a `push` event. */
  push(): Promise<Outcome>
  /** Drains without an event, as long as the worker lives. */
  start(): Promise<Outcome>
}

/**
 * The engine over these ports; which adapters they are is its caller's choice.
 *
 * @param active settles when this worker may touch the store
 */
export function createEngine(context: Context, active: Promise<unknown>): Engine {
  const { clock, lastChance } = context
  const drain = createDrain(context)

  const drainQuietly = (...wake: Parameters<Drain['join']>) =>
    drain.join(...wake).catch((): Outcome => 'work-remains')

  return {
    async sync(attempt) {
      await active
      const canEndEarly = attempt && attemptCanEndEarly(attempt.tag, attempt.lastChance, clock.now())
      if ((await drainQuietly('sync', canEndEarly)) === 'idle') return
      if (attempt?.lastChance && lastChance)
        await atMost(clock, HOOK_LIMIT_MS, lastChance(context, attempt.tag))
      throw new Error('Work remains.')
    },
    push: () => active.then(() => drainQuietly('push')),
    async start() {
      await active
      // Opens the database while the lock is asked for.
      context.store.read(async () => {}).catch(() => undefined)
      return drainQuietly('startup')
    },
    async receive(data, answer) {
      await active
      answer(await reply(context, data))
      return drainQuietly('message', false, !isQuestion(data))
    },
  }
}
