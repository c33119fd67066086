import { describe, expect, it } from 'vitest'
import { aListing, anchoredAt, aSession, listedUpTo } from '../testing/records.ts'
import { stepsDueMs, workRemains } from './plan.ts'
import type { SessionRecord } from './record.ts'
import { NOT_WITNESSED } from './witnessing.ts'

const NOW_MS = 1_800_000_000_000
const parked = { notBeforeMs: Infinity }

const session = (
  tally: Partial<SessionRecord['tally']>,
  rest: Partial<SessionRecord> = {},
): SessionRecord => {
  const fresh = aSession(NOW_MS - 3_600_000, { size: 1, ...rest })
  return { ...fresh, tally: { ...fresh.tally, ...tally } }
}
const whole = {
  ending: 'complete',
  logEnd: 'complete',
  size: 5,
  listed: listedUpTo(5),
  anchored: anchoredAt(5),
} as const

describe('stepsDueMs', () => {
  const trial = (retryAtMs: number) => ({ failures: 1, retryAtMs, setAtMs: NOW_MS })
  const busy = session(
    { uploading: 2, anchoring: 1 },
    {
      size: 4,
      listed: listedUpTo(2),
      witnessing: { ...NOT_WITNESSED, notBeforeMs: NOW_MS + 5 },
      trials: { 'sign-in': trial(NOW_MS + 6), refusal: trial(NOW_MS + 7) },
    },
  )
  const all = {
    listing: 0,
    witness: NOW_MS + 5,
    completion: Infinity,
    'sign-in': NOW_MS + 6,
    refusal: NOW_MS + 7,
  }

  it('has one of each kind: none waits for another', () => {
    expect(stepsDueMs(busy)).toEqual(all)
  })

  it('sends nothing again to see while bytes cost money', () => {
    expect(stepsDueMs(busy, 'small')).toEqual({ ...all, refusal: Infinity })
  })

  it('tries pages and heads that were refused, and what is to be sealed, all the same', () => {
    const listing = aListing(2, 4, parked)
    expect(stepsDueMs({ ...busy, listing }, 'small').refusal).toBe(NOW_MS + 7)
    const raw = { ...busy, parked: 1, parkedRaw: 1 }
    expect(stepsDueMs(raw, 'small').refusal).toBe(NOW_MS + 7)
    expect(stepsDueMs(raw, 'nothing')).toEqual({ refusal: NOW_MS + 7 })
    expect(stepsDueMs({ ...busy, listing }, 'nothing')).toEqual({ refusal: Infinity })
  })

  it('has none while the session is paused, or where nothing is left', () => {
    expect(stepsDueMs({ ...busy, paused: true })).toEqual({})
    const left = Object.values(stepsDueMs(session({ confirmed: 3 }, whole)))
    expect(left.filter((atMs) => atMs < Infinity)).toEqual([])
  })
})

describe('workRemains', () => {
  const ended = { ending: 'complete' } as const

  it.each([
    { what: 'a recording, even an empty one', of: session({}), remains: true },
    { what: 'a recording that is paused', of: session({}, { paused: true }), remains: true },
    { what: 'an empty one that ended', of: session({}, { ...ended, size: 2 }), remains: false },
    { what: 'chunks on their way', of: session({ uploading: 1 }, { ...whole }), remains: true },
    { what: 'only parked chunks', of: session({ uploading: 2 }, { ...whole, parked: 2 }), remains: false },
    { what: 'entries that no page has', of: session({ uploaded: 1 }, { ...whole, size: 6 }), remains: true },
    {
      what: 'a page that is parked, and nothing else',
      of: session({ manifesting: 1 }, { ...ended, size: 2, listing: aListing(0, 2, { ...parked }) }),
      remains: false,
    },
    {
      what: 'a head that the chain does not hold',
      of: session({ anchoring: 1 }, { ...whole, anchored: anchoredAt(4) }),
      remains: true,
    },
    {
      what: 'a head that is parked, and nothing else',
      of: session(
        { anchoring: 1 },
        { ...whole, anchored: anchoredAt(4), witnessing: { ...NOT_WITNESSED, ...parked } },
      ),
      remains: false,
    },
    {
      what: 'a parked page that a trial is set for',
      of: session(
        { manifesting: 1 },
        {
          ...ended,
          size: 2,
          listing: aListing(0, 2, { ...parked }),
          trials: { refusal: { failures: 1, retryAtMs: NOW_MS, setAtMs: 0 } },
        },
      ),
      remains: true,
    },
    { what: 'a paused session', of: session({ uploading: 4 }, { ...ended, paused: true }), remains: false },
    { what: 'all confirmed', of: session({ confirmed: 4 }, whole), remains: false },
  ])('$what: $remains', ({ of, remains }) => expect(workRemains(of)).toBe(remains))
})
