import { describe, expect, it } from 'vitest'
import { classOf, ERRORS, type ErrorCode } from '../../src/protocol/errors.ts'
import { believable, close, CLOSED, concurrencyAllowed, reconsider, trip, type Circuit } from './circuit.ts'

const NOW_MS = 1_800_000_000_000
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

const asked = trip(CLOSED, 'throttled', 10 * MINUTE_MS, NOW_MS, 0.5)
const allowed = (circuit: Circuit, afterMs: number) => concurrencyAllowed(circuit, 3, NOW_MS + afterMs)

// Promise 6 of docs/guarantees.md.
describe('the time that a server asked for', () => {
  const later = 10 * MINUTE_MS

  it('is kept when another request goes well meanwhile', () => {
    const closed = close(asked, NOW_MS + 1_000)
    expect([allowed(closed, later - 1), allowed(closed, later)]).toEqual([0, 3])
    expect(close(asked, NOW_MS + later)).toEqual(CLOSED)
  })

  it('is kept when a later failure asks for nothing, or for less', () => {
    for (const [code, floorMs] of [
      ['server-error', 0],
      ['unreachable', 0],
      ['throttled', MINUTE_MS],
    ] as const)
      expect(allowed(trip(asked, code, floorMs, NOW_MS + 1_000, 0.5), later - 1)).toBe(0)
  })

  it('moves out when a later answer asks for more', () => {
    const more = trip(asked, 'throttled', 20 * MINUTE_MS, NOW_MS + MINUTE_MS, 0.5)
    expect([allowed(more, 21 * MINUTE_MS - 1), allowed(more, 21 * MINUTE_MS)]).toEqual([0, 1])
  })

  it('is kept when a person arrives', () => {
    expect(allowed(reconsider(asked), later - 1)).toBe(0)
  })

  it('doubles each time that it was waited for in vain, up to a minute', () => {
    let circuit = CLOSED
    let nowMs = NOW_MS
    const waits: number[] = []
    for (let time = 0; time < 9; time += 1) {
      circuit = trip(circuit, 'throttled', 1_000, nowMs, 0)
      waits.push((circuit.floorMs - nowMs) / 1_000)
      // Another request of the same moment.
      circuit = trip(circuit, 'throttled', 1_000, nowMs + 10, 0)
      nowMs = circuit.notBeforeMs
    }
    expect(waits.map(Math.round)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  })

  it('does not double after a failure for which it asked for none, nor beyond a minute', () => {
    const silent = trip(trip(CLOSED, 'throttled', 1_000, NOW_MS, 0), 'timeout', 0, NOW_MS + 1_000, 0)
    expect(trip(silent, 'throttled', 1_000, NOW_MS + 2_000, 0).floorMs).toBe(NOW_MS + 3_000)
    const again = trip(asked, 'throttled', 10 * MINUTE_MS, NOW_MS + later, 0)
    expect(again.floorMs).toBe(NOW_MS + 2 * later)
  })

  it('is none where no server asked for it', () => {
    expect(trip(CLOSED, 'unreachable', 0, NOW_MS, 0.5).floorMs).toBe(0)
  })
})

describe('a stored circuit under a clock that was set', () => {
  it.each([2, 30, 60 * 24, 60 * 24 * 365])(
    '%i minutes back is asked, on trial, whoever asked for a wait',
    (minutes) => {
      const ahead = trip(CLOSED, 'unreachable', 0, NOW_MS + minutes * MINUTE_MS, 0.5)
      expect(allowed(believable(ahead, NOW_MS), 0)).toBe(1)
      const floor = trip(CLOSED, 'throttled', MINUTE_MS, NOW_MS + minutes * MINUTE_MS, 0.5)
      expect(allowed(believable(floor, NOW_MS), 0)).toBe(1)
      // Also once it has answered meanwhile, which opens no way that it forbade.
      const closed = close(floor, NOW_MS + minutes * MINUTE_MS)
      expect(believable(closed, NOW_MS)).toMatchObject({ floorMs: 0, notBeforeMs: 0 })
    },
  )

  it('by some seconds keeps what a server asked for', () => {
    const floor = trip(CLOSED, 'throttled', 10 * MINUTE_MS, NOW_MS + 5_000, 0.5)
    expect(believable(floor, NOW_MS)).toEqual(floor)
  })

  it.each([1, 365])('%i days ahead is due', (days) => {
    expect(allowed(believable(asked, NOW_MS + days * DAY_MS), days * DAY_MS)).toBe(1)
  })

  it('not at all is read as it is', () => {
    expect(believable(asked, NOW_MS)).toEqual(asked)
  })
})

describe('circuit', () => {
  const OPENS: ReadonlySet<ErrorCode> = new Set([
    'unreachable',
    'timeout',
    'server-error',
    'throttled',
    'completion-failed',
  ])

  it.each(Object.keys(ERRORS) as ErrorCode[])('%s: opens only for what tells of the destination', (code) => {
    const after = trip(CLOSED, code, 0, 1_000, 0.5)
    if (OPENS.has(code))
      expect(after).toEqual({ failures: 1, notBeforeMs: 1_250, floorMs: 0, failedAtMs: 1_000, code })
    else expect(after).toBe(CLOSED)
  })

  it.each(Object.keys(ERRORS) as ErrorCode[])(
    '%s with a wait: opens but for what only lacks others',
    (code) => {
      const isOpen = OPENS.has(code) || classOf(code) !== 'transient'
      const after = trip(CLOSED, code, MINUTE_MS, 1_000, 0.5)
      const opened = { failures: 1, notBeforeMs: 61_000, floorMs: 61_000, failedAtMs: 1_000, code }
      expect(after).toEqual(isOpen ? opened : CLOSED)
    },
  )

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
})
