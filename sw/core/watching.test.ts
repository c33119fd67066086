import { describe, expect, it } from 'vitest'
import { anchoredAt, aSession, digest } from '../testing/records.ts'
import type { Anchored, SessionRecord } from './record.ts'
import { EMPTY_TALLY } from './session.ts'
import { sessionTransition } from './session-machine.ts'
import { afterLook, isLookDue } from './watching.ts'

const NOW_MS = 1_800_000_000_000
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const WEEK_MS = 7 * DAY_MS

const settled = (anchored: Partial<Anchored> = {}, rest: Partial<SessionRecord> = {}): SessionRecord => ({
  ...aSession(NOW_MS - 9_000, { size: 3 }),
  ending: 'complete',
  logEnd: 'complete',
  tally: { ...EMPTY_TALLY, confirmed: 1 },
  anchored: { ...anchoredAt(3), confirmedAtMs: NOW_MS, ...anchored },
  open: undefined,
  ...rest,
})

/** The session after a look that found it as it was. */
const looked = (session: SessionRecord, nowMs: number): SessionRecord => {
  const { anchored } = session
  const { blockNumber = 0 } = anchored ?? {}
  const seen = afterLook({ ...anchored!, blockNumber }, { blockNumber, latest: anchored }, nowMs)
  return sessionTransition(session, [], { type: 'anchor-seen', anchored: seen }, { nowMs, random: 0 })!
    .session
}

/** When wakes come, in ms after the settlement, and at which of them the chain is asked; each finds it as it was. */
function looksAt(wakesMs: readonly number[]): number[] {
  let session = settled()
  return wakesMs.filter((ms) => {
    const nowMs = NOW_MS + ms
    if (!isLookDue(session, nowMs)) return false
    session = looked(session, nowMs)
    return true
  })
}

describe('a settled session is looked at again', () => {
  it('at each wake within the hour, but once a minute', () => {
    expect(looksAt([1_000, MINUTE_MS, MINUTE_MS + 1_000, 5 * MINUTE_MS, 59 * MINUTE_MS])).toEqual([
      MINUTE_MS,
      5 * MINUTE_MS,
      59 * MINUTE_MS,
    ])
  })

  it('at the first wake after an hour, a day and a week, then never', () => {
    const wakes = [
      HOUR_MS,
      HOUR_MS + 1,
      2 * HOUR_MS,
      DAY_MS + 1,
      2 * DAY_MS,
      6 * DAY_MS,
      WEEK_MS,
      2 * WEEK_MS,
      99 * WEEK_MS,
    ]
    expect(looksAt(wakes)).toEqual([HOUR_MS, DAY_MS + 1, WEEK_MS])
  })

  it('once where no wake came for a week, and at none that was missed', () => {
    expect(looksAt([9 * DAY_MS, 10 * DAY_MS])).toEqual([9 * DAY_MS])
    expect(looksAt([3 * DAY_MS, 4 * DAY_MS, 8 * DAY_MS])).toEqual([3 * DAY_MS, 8 * DAY_MS])
  })

  it('never while it is open, or nothing of it is on the chain', () => {
    const later = NOW_MS + HOUR_MS
    expect(isLookDue(settled(), later)).toBe(true)
    expect(isLookDue(settled({}, { size: 4 }), later)).toBe(false)
    expect(isLookDue(settled({}, { anchored: undefined, tally: EMPTY_TALLY }), later)).toBe(false)
  })

  it.each([1, 365])(
    'at once where the clock was %d days ahead when it was stored, and then by the true one',
    (days) => {
      const ahead = NOW_MS + days * DAY_MS
      for (const session of [settled({ confirmedAtMs: ahead }), settled({ seenAtMs: ahead })]) {
        expect(isLookDue(session, NOW_MS)).toBe(true)
        const after = looked(session, NOW_MS)
        expect(isLookDue(after, NOW_MS + 1_000)).toBe(false)
        expect(isLookDue(after, NOW_MS + MINUTE_MS)).toBe(true)
        expect(after.anchored).toMatchObject({ confirmedAtMs: NOW_MS, seenAtMs: NOW_MS })
      }
    },
  )
})

describe('a look', () => {
  const anchored = { ...anchoredAt(3), blockNumber: 70, confirmedAtMs: 5 }
  const { root } = anchored
  const after = (blockNumber: number, latest?: { root: typeof root; blockNumber: number }) =>
    afterLook(anchored, { blockNumber, ...(latest && { latest }) }, 9)

  it('finds what settled it as it was, or gone', () => {
    expect(after(70, { root, blockNumber: 70 })).toEqual({ ...anchored, seenAtMs: 9 })
    expect(after(99, { root, blockNumber: 70 })).toEqual({ ...anchored, seenAtMs: 9 })
    expect(after(99)).toBeUndefined()
    expect(after(99, { root: digest('2'), blockNumber: 70 })).toBeUndefined()
  })

  it('finds it in another block, where it has to grow deep again', () => {
    expect(after(99, { root, blockNumber: 98 })).toBeUndefined()
  })

  it('says nothing by a node that is behind the block that took it', () => {
    expect(after(69)).toBe(anchored)
  })

  it('that finds it gone opens the session again, and one that is late changes nothing', () => {
    const now = { nowMs: NOW_MS, random: 0 }
    const gone = { type: 'anchor-seen', anchored: undefined } as const
    const open = sessionTransition(settled(), [], gone, now)!
    expect(open.session.open).toBe(open.session.startedAtMs)
    expect(open.effects).toMatchObject([['addLog', [{ event: 'anchor-lost' }]]])
    for (const late of [gone, { ...gone, anchored }])
      expect(sessionTransition(open.session, [], late, now)).toBeUndefined()
  })
})
