import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERRORS, type ErrorCode } from '../../src/protocol/errors.ts'
import { CLOSED, concurrencyAllowed, reconsider, countsAsAttempt, trip } from './circuit.ts'
import { retryDelayMs } from './retry.ts'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('retryDelayMs', () => {
  it('stays between nothing and the doubling bound, and never over the cap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), chance, (failures, random) => {
        const delay = retryDelayMs(failures, 0, random)
        expect(delay).toBeGreaterThanOrEqual(0)
        expect(delay).toBeLessThanOrEqual(Math.min(60_000, 500 * 2 ** (failures - 1)))
        expect(Number.isInteger(delay)).toBe(true)
      }),
    )
  })

  it('spreads over the whole range', () => {
    expect(retryDelayMs(3, 0, 0)).toBe(0)
    expect(retryDelayMs(3, 0, 0.5)).toBe(1_000)
    expect(retryDelayMs(3, 0, 0.9999)).toBe(2_000)
  })

  it('is never shorter than the server asked, cap or not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.nat(86_400_000),
        chance,
        (failures, floorMs, random) => {
          expect(retryDelayMs(failures, floorMs, random)).toBeGreaterThanOrEqual(floorMs)
        },
      ),
    )
    expect(retryDelayMs(1, 120_000, 0.5)).toBe(120_000)
  })
})

describe('circuit', () => {
  const OPENS: ReadonlySet<ErrorCode> = new Set(['unreachable', 'timeout', 'server-error', 'throttled'])

  it.each(Object.keys(ERRORS) as ErrorCode[])('%s: opens only for what tells of the destination', (code) => {
    const after = trip(CLOSED, code, 0, 1_000, 0.5)
    if (OPENS.has(code)) expect(after).toEqual({ failures: 1, notBeforeMs: 1_250, floorMs: 1_000 })
    else expect(after).toBe(CLOSED)
  })

  it('lets nothing through while open, one on trial after that, and all lanes once it is closed', () => {
    const open = trip(CLOSED, 'unreachable', 0, 1_000, 0.5)
    expect(concurrencyAllowed(open, 3, 1_249)).toBe(0)
    expect(concurrencyAllowed(open, 3, 1_250)).toBe(1)
    expect(concurrencyAllowed(CLOSED, 3, 1_250)).toBe(3)
  })

  it('opens longer with each failure, for ten seconds at most unless the server asks for more', () => {
    let circuit = CLOSED
    const waits = Array.from({ length: 8 }, () => {
      circuit = trip(circuit, 'unreachable', 0, 0, 0.9999)
      return circuit.notBeforeMs
    })
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 7_999, 9_999, 9_999, 9_999])
    expect(trip(circuit, 'throttled', 90_000, 0, 0.5).notBeforeMs).toBe(90_000)
  })

  it('is asked again at once when a person arrives, but not before a time that the server set', () => {
    const dead = reconsider(trip(CLOSED, 'unreachable', 0, 1_000, 0.5))
    expect(concurrencyAllowed(dead, 3, 1_000)).toBe(1)
    const throttled = reconsider(trip(CLOSED, 'throttled', 60_000, 1_000, 0.5))
    expect(concurrencyAllowed(throttled, 3, 60_999)).toBe(0)
    expect(concurrencyAllowed(throttled, 3, 61_000)).toBe(1)
  })

  it('spends an attempt for everything but a missing network and our own stop', () => {
    const free = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => !countsAsAttempt(code))
    expect(free).toEqual(['unreachable', 'aborted'])
  })
})
