import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERRORS, HoldfastError, type ErrorCode } from '../../src/protocol/errors.ts'
import {
  believedMs,
  countsAsAttempt,
  isAhead,
  LONGEST_WAIT_MS,
  resubmitDelayMs,
  waitAfter,
} from './retry-policy.ts'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

/** How long an item waits after a transient failure, ms. */
function waitMs(failures: number, retryAfterMs: number, random: number): number {
  const failure = { code: 'server-error', message: '', retryAfterMs } as const
  return waitAfter(failure, failures, { nowMs: 0, random })
}

describe('the wait after a failure', () => {
  it('stays between nothing and the doubling bound, and never over the cap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), chance, (failures, random) => {
        const delay = waitMs(failures, 0, random)
        expect(delay).toBeGreaterThanOrEqual(0)
        expect(delay).toBeLessThanOrEqual(Math.min(60_000, 500 * 2 ** (failures - 1)))
        expect(Number.isInteger(delay)).toBe(true)
      }),
    )
  })

  it('is believed as long as an error may ask for, and no longer', () => {
    const { retryAfterMs } = new HoldfastError('throttled', '', { retryAfterMs: 9e9 })
    expect(retryAfterMs).toBe(LONGEST_WAIT_MS)
  })

  it('spreads over the whole range', () => {
    expect(waitMs(3, 0, 0)).toBe(0)
    expect(waitMs(3, 0, 0.5)).toBe(1_000)
    expect(waitMs(3, 0, 0.9999)).toBe(2_000)
  })

  it('is never shorter than the server asked, cap or not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.nat(LONGEST_WAIT_MS),
        chance,
        (failures, floorMs, random) => {
          expect(waitMs(failures, floorMs, random)).toBeGreaterThanOrEqual(floorMs)
        },
      ),
    )
    expect(waitMs(1, 120_000, 0.5)).toBe(120_000)
  })
})

it('leaves a copy that is not shown yet alone for 5 s, and no shorter than its server asked', () => {
  const waitFor = (retryAfterMs: number) =>
    waitAfter({ code: 'address-mismatch', message: '', retryAfterMs }, 1, { nowMs: 0, random: 0.5 })
  expect([0, 7_000].map(waitFor)).toEqual([5_000, 7_000])
})

it('spends an attempt for everything but a missing network and our own stop', () => {
  const free = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => !countsAsAttempt(code))
  expect(free).toEqual(['unreachable', 'aborted'])
})

it('takes a conflict for hopeless after five in a row, and no other failure that time may mend ever', () => {
  const waits = (failures: number) =>
    (Object.keys(ERRORS) as ErrorCode[]).filter(
      (code) =>
        waitAfter({ code, message: 'why', retryAfterMs: 0 }, failures, { nowMs: 0, random: 0.5 }) < Infinity,
    )
  const conflicts = new Set(['hash-mismatch', 'address-mismatch', 'bad-answer'])
  const beforeReads = waits(4)
  expect(waits(5)).toEqual(beforeReads)
  expect(waits(6)).toEqual(beforeReads.filter((code) => !conflicts.has(code)))
  expect(waits(1_000)).toEqual(waits(6))
})

it('hands over again what the relay took in vain after 15 s, the wait doubling to 15 minutes', () => {
  const seconds = [0, 1, 2, 3, 4, 5, 6, 7, 8, 2_000].map((taken) => resubmitDelayMs(taken) / 1_000)
  expect(seconds).toEqual([15, 15, 30, 60, 120, 240, 480, 900, 900, 900])
})

it('believes no stored time that lies further ahead than any wait', () => {
  expect(believedMs(5, 1_000_000)).toBe(5)
  expect(believedMs(1_000 + LONGEST_WAIT_MS, 1_000)).toBe(1_000 + LONGEST_WAIT_MS)
  expect(believedMs(1_001 + LONGEST_WAIT_MS, 1_000)).toBe(1_000)
  expect(believedMs(Infinity, 1_000)).toBe(Infinity)
})

it('tells of a clock that was set back by more than a minute, or of which nothing is known', () => {
  expect([0, 1_000, 61_000].map((atMs) => isAhead(atMs, 1_000))).toEqual([false, false, false])
  expect([61_001, 1e15, Infinity, NaN, undefined].map((atMs) => isAhead(atMs, 1_000))).toEqual(
    Array(5).fill(true),
  )
})
