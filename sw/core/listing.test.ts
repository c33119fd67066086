import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import { aListing, aSession, listedUpTo } from '../testing/records.ts'
import { MAX_PAGE_ENTRIES } from '../../src/evidence/limits.ts'
import { again, afterFailedEffort, isParked, underWay } from './effort.ts'
import { listingDueMs, pageBefore } from './listing.ts'
import type { Listed, SessionRecord } from './record.ts'

const NOW_MS = 1_800_000_000_000
const now = { nowMs: NOW_MS, random: 0.5 }

const session = (
  tally: Partial<SessionRecord['tally']>,
  rest: Partial<SessionRecord> = {},
): SessionRecord => {
  const fresh = aSession(NOW_MS - 3_600_000, { size: 1, ...rest })
  return { ...fresh, tally: { ...fresh.tally, ...tally } }
}

describe('the next step of a listing', () => {
  it('is now as soon as the log has an entry that no page has', () => {
    expect(listingDueMs(session({ uploading: 1 }, { size: 2 }))).toBe(0)
    expect(listingDueMs(session({ anchoring: 1, uploading: 1 }, { size: 3, listed: listedUpTo(2) }))).toBe(0)
  })

  it('is never while the pages have all entries', () => {
    expect(listingDueMs(session({ anchoring: 1 }, { size: 2, listed: listedUpTo(2) }))).toBe(Infinity)
  })

  it('is never of an empty recording, ended or not', () => {
    expect(listingDueMs(session({}))).toBe(Infinity)
    expect(listingDueMs(session({}, { size: 2, ending: 'complete', logEnd: 'complete' }))).toBe(Infinity)
  })

  it('is now where there is a note, though there is no chunk', () => {
    expect(listingDueMs(session({}, { size: 2, notes: 1 }))).toBe(0)
  })

  // Promise 5 of docs/guarantees.md.
  it('does not wait for chunks that are parked, nor for their bytes to be proved', () => {
    expect(listingDueMs(session({ captured: 1, uploading: 2 }, { size: 3, parked: 3 }))).toBe(0)
  })

  it('is the time of the page in flight, and never that of one that is parked', () => {
    const at = (notBeforeMs: number) =>
      listingDueMs(session({ manifesting: 1 }, { size: 9, listing: aListing(0, 2, { notBeforeMs }) }))
    expect(at(77)).toBe(77)
    expect(at(NOW_MS + 3_600_000)).toBe(NOW_MS + 3_600_000)
    expect(at(Infinity)).toBe(Infinity)
  })
})

// Promise 9 of docs/guarantees.md.
describe('what the next page follows on', () => {
  /** Pages of a log that gets so many entries at a time, and what they cost. */
  function published(entries: number, atATime: number) {
    let listed: Listed = { tree: { size: 0, frontier: [] }, pages: { number: 0, digests: [] } }
    let [pages, sent, most] = [0, 0, 0]
    for (let size = 0; size < entries;) {
      size = Math.min(entries, size + atATime)
      while (listed.tree.size < size) {
        const before = pageBefore(listed, size)
        const to = Math.min(size, before.tree.size + MAX_PAGE_ENTRIES)
        // What is fixed for one size holds for the size that the page comes to.
        const isSame = pageBefore(listed, to).tree.size === before.tree.size
        if (!isSame || to <= listed.tree.size) throw new Error(`${listed.tree.size} to ${size}`)
        sent += to - before.tree.size
        pages++
        most = Math.max(most, to - before.tree.size)
        const { full } = before
        listed = {
          tree: { size: to, frontier: [] },
          pages: { ...before.pages, number: before.pages.number + 1 },
          full,
        }
      }
    }
    return { found: listed.pages.number, pages, perEntry: sent / entries, most }
  }

  it.each([10, 100, 1_000, 10_000, 30_000])(
    'leaves few pages that list a log of %i entries which came one by one, each of them twice at most',
    (entries) => {
      const { found, pages, perEntry, most } = published(entries, 1)
      expect(pages).toBe(entries)
      expect(found).toBeLessThanOrEqual(Math.sqrt(8 * entries) * 1.25 + 4)
      expect(perEntry).toBeLessThanOrEqual(2)
      expect(most).toBeLessThanOrEqual(4 + Math.sqrt(entries / 2))
    },
  )

  it('is the last page where the entries came in few pages, and those are not listed again', () => {
    expect(published(10_000, 20)).toEqual({ found: 500, pages: 500, perEntry: 1, most: 20 })
    expect(published(10_000, 5_000).found).toBe(18)
  })

  it('never grows too long for a page', () => {
    const upTo = (size: number, number: number) => ({
      tree: { size, frontier: [] },
      pages: { number, digests: [] },
    })
    const full = upTo(3_000_000, 5_000)
    const listed = { ...upTo(3_000_598, 5_598), full }
    expect(pageBefore(listed, 3_000_599).tree.size).toBe(3_000_598)
    expect(pageBefore(listed, 3_000_600)).toEqual(full)
  })
})

describe('the page in flight', () => {
  const page = aListing(0, 2)
  const failed = (code: ErrorCode, of = page) =>
    afterFailedEffort(of, { code, message: 'why', retryAfterMs: 0 }, now)

  it('keeps in mind where its upload can go on', () => {
    expect(underWay(page, { type: 'resume-token-saved', resumeToken: 'here' })).toEqual({
      ...page,
      resumeToken: 'here',
    })
  })

  it('waits after a failure, and is forgiven no failure by an attempt that has only begun', () => {
    const once = failed('server-error')
    expect(once).toEqual({
      ...page,
      failures: 1,
      notBeforeMs: NOW_MS + 250,
      lastError: { code: 'server-error', message: 'why' },
    })
    const token = { type: 'resume-token-saved', resumeToken: 'here' } as const
    expect(underWay(once, token)).toEqual({ ...once, resumeToken: 'here' })
  })

  it('parks where it was refused, until it is resumed: what has left already is kept in mind', () => {
    const sent = aListing(0, 2, { resumeToken: 'here' })
    const parked = failed('rejected-by-store', sent)
    expect(isParked(parked)).toBe(true)
    expect(again(parked)).toEqual(sent)
  })
})
