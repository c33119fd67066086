import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERRORS, type ErrorCode } from '../../src/protocol/errors.ts'
import { countsAsAttempt, LONGEST_WAIT_MS, waitAfter } from './retry-policy.ts'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

/** How long an item waits after a transient failure, ms. */
function waitMs(failures: number, retryAfterMs: number, random: number): number {
  const failure = { code: 'server-error', message: '', retryAfterMs } as const
  const wait = waitAfter(failure, failures, { nowMs: 0, random })
  return wait.kind === 'due' ? wait.notBeforeMs : NaN
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

  it('spreads over the whole range', () => {
    expect(waitMs(3, 0, 0)).toBe(0)
    expect(waitMs(3, 0, 0.5)).toBe(1_000)
    expect(waitMs(3, 0, 0.9999)).toBe(2_000)
  })

  it('is never shorter than the server asked, cap or not, but for an hour at most', () => {
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
    expect(waitMs(1, 86_400_000, 0.5)).toBe(LONGEST_WAIT_MS)
  })
})

it('spends an attempt for everything but a missing network and our own stop', () => {
  const free = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => !countsAsAttempt(code))
  expect(free).toEqual(['unreachable', 'aborted'])
})
