import { announcer } from '../adapters/browser/announce.ts'
import { systemClock } from '../adapters/browser/system-clock.ts'
import type { Context, Sealer } from './context.ts'
import { attemptCanEndEarly } from '../core/sync-schedule.ts'
import { createDrain, type Drain, type WakeKind } from './drain.ts'
import { logLastChance } from './last-chance.ts'
import { webLock } from '../adapters/browser/web-lock.ts'
import { isMetered } from '../adapters/browser/network.ts'
import type { Anchor } from '../ports/anchor.ts'
import { createProgress } from './progress.ts'
import { reply } from './requests.ts'
import { idbStore } from '../adapters/store/idb.ts'
import type { Transport } from '../ports/transport.ts'
import { backgroundSync } from '../adapters/browser/background-sync.ts'
import type { Reply } from '../../src/protocol/messages.ts'

export interface EngineOptions {
  /** Where ciphertext and manifests go. */
  readonly transport: Transport
  /** Who witnesses the roots. */
  readonly anchor: Anchor
  /** `sealInWorker` of `holdfast/sw/seal`, for an app that starts sessions with `seal: 'worker'`. */
  readonly sealer?: Sealer
  /** Called when the browser will not wake the worker again though work is left: `notice()` of `holdfast/sw/notice`. */
  readonly lastChance?: LastChance
}

/** @param recordings how many wait for a page of the origin */
export type LastChance = (recordings: number) => Promise<void>

/** What of a `SyncEvent` matters here. */
export interface SyncAttempt {
  readonly tag: string
  readonly lastChance: boolean
}

export interface Engine {
  /** Answers a page's message, then drains for as long as the event may run. */
  receive(data: unknown, answer: (reply: Reply) => void): Promise<void>
  /** Drains; rejects while work remains, as a `sync` event must. */
  sync(attempt?: SyncAttempt): Promise<void>
  /** Drains within the time of a `push` event. */
  push(): Promise<void>
  /** Drains without an event, as long as the worker lives. */
  start(): void
}

/**
 * Joins the engine's parts; the one place that picks adapters.
 *
 * @param active settles when this worker may touch the store
 */
export function createEngine(
  { transport, anchor, sealer, lastChance }: EngineOptions,
  active: Promise<unknown>,
): Engine {
  const store = idbStore()
  const wake = backgroundSync(() => sync())
  const clock = systemClock()
  const progress = createProgress(clock)
  const context: Context = {
    store,
    transport,
    anchor,
    wake,
    lock: webLock(),
    clock,
    metered: isMetered,
    progress,
    announce: announcer(store, progress),
    ...(sealer && { sealer }),
  }
  const drain: Drain = createDrain(context)

  async function sync(attempt?: SyncAttempt): Promise<void> {
    await active
    const canEndEarly =
      attempt !== undefined && attemptCanEndEarly(attempt.tag, attempt.lastChance, context.clock.now())
    if ((await drain.join('sync', canEndEarly)) === 'idle') return
    if (attempt?.lastChance && (await wake.isLast(attempt.tag))) {
      const recordings = await logLastChance(context)
      await lastChance?.(recordings)
    }
    throw new Error('Work remains: try again.')
  }

  const drainQuietly = async (kind: WakeKind) => {
    // A drain ends early only when the store fails; everything is where it was, and the next wake goes on.
    await drain.join(kind).catch(() => undefined)
  }

  return {
    sync,
    push: () => active.then(() => drainQuietly('push')),
    start: () => void active.then(() => drainQuietly('startup')),
    async receive(data, answer) {
      await active
      answer(await reply(context, data))
      await drainQuietly('message')
    },
  }
}
