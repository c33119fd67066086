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
  /** Of timers of one time the first one fires first. */
  readonly nth: number
  readonly fire: () => void
  /** Whoever waited does no more. */
  over: boolean
}

/** Timers by time: a heap, as each history has some fifty of them at any moment, and looks for the next one hundreds of times. */
class Timers {
  readonly #heap: Timer[] = []
  #count = 0

  add(atMs: number, fire: () => void): Timer {
    const timer = { atMs, nth: this.#count++, fire, over: false }
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const above = (at - 1) >> 1
      const other = heap[above]!
      if (!isBefore(timer, other)) break
      heap[at] = other
      at = above
    }
    heap[at] = timer
    return timer
  }

  /** The next one that is not over. */
  get next(): Timer | undefined {
    while (this.#heap[0]?.over) this.shift()
    return this.#heap[0]
  }

  /** Takes the next one away. */
  shift(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
      if (!isBefore(heap[below]!, last)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
  }
}

const isBefore = (one: Timer, other: Timer) =>
  one.atMs < other.atMs || (one.atMs === other.atMs && one.nth < other.nth)

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
  const timers = new Timers()

  /** Jumps to the next timer that is not later than `limitMs`; false if there is none. */
  const jump = (limitMs: number): boolean => {
    const { next } = timers
    if (next === undefined || next.atMs > limitMs) return false
    nowMs = Math.max(nowMs, next.atMs)
    timers.shift()
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
    ticks: () => nowMs,
    random: () => {
      state = (state * 48_271) % 2_147_483_647
      return state / 2_147_483_647
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve()
        const end = () => {
          timer.over = true
          signal.removeEventListener('abort', end)
          resolve()
        }
        const timer = timers.add(nowMs + ms, end)
        signal.addEventListener('abort', end)
      }),
    after: (ms) =>
      new Promise((resolve) => {
        timers.add(nowMs + ms, resolve)
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
