import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../ports/platform.ts'

/** A clock that stands still while anything else can happen, then jumps to the next timer. */
export interface VirtualClock extends Clock {
  /** Goes on until `work` settles or `over` says so; resolves then, and rejects as `work` does. */
  runUntil(work: Promise<unknown>, over?: () => boolean): Promise<void>
  /** Resolves after `ms`, whatever else ends. */
  after(ms: number): Promise<void>
  /** Goes on until this much time has passed. */
  advance(ms: number): Promise<void>
}

interface Timer {
  readonly atMs: number
  readonly fire: () => void
}

/** Calls of Web Crypto that are under way: real threads work on them, so time must not jump meanwhile. */
const underWay = new Set<Promise<unknown>>()

function watchCrypto() {
  const { subtle } = crypto
  const watched =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> => {
      const answer = call.apply(subtle, args)
      underWay.add(answer)
      const end = () => void underWay.delete(answer)
      answer.then(end, end)
      return answer
    }
  const watch = (name: 'digest' | 'encrypt' | 'sign' | 'importKey' | 'deriveBits') =>
    Object.defineProperty(subtle, name, {
      value: watched(subtle[name] as (...args: unknown[]) => Promise<unknown>),
      configurable: true,
    })
  for (const name of ['digest', 'encrypt', 'sign', 'importKey', 'deriveBits'] as const) watch(name)
}
watchCrypto()

/** Every promise has called back that can: it runs once the queue of microtasks is empty. */
const microtasksDone = () => new Promise<void>((resolve) => process.nextTick(resolve))

/** Lets everything happen that can happen now. @param outside whether anything of it comes from the event loop */
async function settleDown(outside: boolean): Promise<void> {
  if (!outside) await microtasksDone()
  if (outside || underWay.size > 0)
    do await setImmediate()
    while (underWay.size > 0)
}

/**
 * Chance is a seeded generator (Park and Miller), so that a failing run can be repeated.
 *
 * @param outside whether something that is waited for comes from the event loop. Where everything is a promise, to look
 *   there before each jump would take a tenth of the time
 */
export function virtualClock(startMs = Date.UTC(2026, 0, 1), seed = 1, outside = true): VirtualClock {
  let nowMs = startMs
  let state = seed
  let driven = false
  const timers = new Set<Timer>()

  /** Jumps to the next timer that is not later than `limitMs`; false if there is none. */
  const jump = (limitMs: number): boolean => {
    let next: Timer | undefined
    for (const timer of timers) if (next === undefined || timer.atMs < next.atMs) next = timer
    if (next === undefined || next.atMs > limitMs) return false
    nowMs = Math.max(nowMs, next.atMs)
    timers.delete(next)
    next.fire()
    return true
  }

  /** One driver at a time: two would jump past each other. */
  const drive = async (course: () => Promise<void>) => {
    if (driven) throw new Error('The clock is driven already')
    driven = true
    await course().finally(() => {
      driven = false
    })
  }

  return {
    now: () => nowMs,
    random: () => {
      state = (state * 48_271) % 2_147_483_647
      return state / 2_147_483_647
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve()
        const end = () => {
          timers.delete(timer)
          signal.removeEventListener('abort', end)
          resolve()
        }
        const timer = { atMs: nowMs + ms, fire: end }
        timers.add(timer)
        signal.addEventListener('abort', end)
      }),
    after: (ms) =>
      new Promise((resolve) => {
        const timer = {
          atMs: nowMs + ms,
          fire: resolve,
        }
        timers.add(timer)
      }),
    runUntil: (work, over = () => false) =>
      drive(async () => {
        let settled = false
        const end = () => {
          settled = true
        }
        work.then(end, end)
        for (;;) {
          await settleDown(outside)
          if (over()) return
          if (settled) return void (await work)
          if (!jump(Infinity)) throw new Error('Nothing will ever happen again')
        }
      }),
    advance: (ms) =>
      drive(async () => {
        const untilMs = nowMs + ms
        do await settleDown(outside)
        while (jump(untilMs))
        nowMs = untilMs
      }),
  }
}
