import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import { anchoredAt, aSession, listedUpTo } from '../testing/records.ts'
import { afterFailedEffort, type Failed } from './effort.ts'
import type { SessionRecord, Witnessing } from './record.ts'
import { TAKEN_TO_TELL } from './retry-policy.ts'
import { sessionTransition } from './session-machine.ts'
import { NOT_WITNESSED, submitDueMs, witnessDueMs, witnessStep, type WitnessEvent } from './witnessing.ts'

const NOW_MS = 1_800_000_000_000
const DAY_MS = 86_400_000
const EVERY_MS = 600_000
const now = { nowMs: NOW_MS, random: 0.5 }
const at = (nowMs: number) => ({ nowMs, random: 0.5 })

const session = (
  rest: Partial<SessionRecord>,
  tally: Partial<SessionRecord['tally']> = {},
): SessionRecord => {
  const fresh = aSession(NOW_MS - 3_600_000, { size: 9, ...rest })
  return { ...fresh, tally: { ...fresh.tally, ...tally } }
}

describe('the next look at the chain', () => {
  it('is now once a page is listed that the chain is not known to hold', () => {
    expect(witnessDueMs(session({ listed: listedUpTo(2) }))).toBe(0)
    expect(witnessDueMs(session({ listed: listedUpTo(5), anchored: anchoredAt(4) }))).toBe(0)
  })

  it('is never while no page is listed, or the chain holds all that are', () => {
    expect(witnessDueMs(session({}))).toBe(Infinity)
    expect(witnessDueMs(session({ listed: listedUpTo(5), anchored: anchoredAt(5) }))).toBe(Infinity)
  })

  it('is now where a chunk waits for the chain, though that holds all: its proof was too old, or came late', () => {
    const all = { listed: listedUpTo(5), anchored: anchoredAt(5) }
    expect(witnessDueMs(session(all, { anchoring: 1 }))).toBe(0)
    expect(witnessDueMs(session(all, { uploading: 1, confirmed: 2 }))).toBe(Infinity)
  })

  const waiting = (notBeforeMs: number, rest: Partial<SessionRecord> = {}) =>
    witnessDueMs(session({ listed: listedUpTo(2), witnessing: { ...NOT_WITNESSED, notBeforeMs }, ...rest }))

  it('is at its time, never while it is parked', () => {
    expect(waiting(77)).toBe(77)
    expect(waiting(NOW_MS + 3_600_000)).toBe(NOW_MS + 3_600_000)
    expect(waiting(Infinity)).toBe(Infinity)
  })
})

describe('the newest head is handed over', () => {
  const AGO_MS = NOW_MS - 1_000
  const handedOver = (submitted: number, taken = 1, submittedAtMs = AGO_MS): Witnessing => ({
    ...NOT_WITNESSED,
    submitted,
    submittedAtMs,
    taken,
  })
  const open = { size: 5, isLast: false }
  const last = { size: 5, isLast: true }

  it.each([
    { what: 'at once where none was before', of: NOT_WITNESSED, head: open, dueMs: 0 },
    { what: 'an interval after another one', of: handedOver(4, 0), head: open, dueMs: AGO_MS + EVERY_MS },
    {
      what: 'no sooner than another one again where the relay takes them in vain',
      of: handedOver(4, 99),
      head: open,
      dueMs: AGO_MS + 900_000,
    },
    { what: 'at once after another one where it is the last', of: handedOver(4), head: last, dueMs: 0 },
    { what: 'again after 15 s', of: handedOver(5), head: open, dueMs: AGO_MS + 15_000 },
    { what: 'again after 15 s, the last one too', of: handedOver(5), head: last, dueMs: AGO_MS + 15_000 },
    { what: 'again after 15 s, taken or not', of: handedOver(5, 0), head: last, dueMs: AGO_MS + 15_000 },
    { what: 'ever more rarely', of: handedOver(5, 3), head: open, dueMs: AGO_MS + 60_000 },
    { what: 'every 15 minutes at last', of: handedOver(5, 99), head: open, dueMs: AGO_MS + 900_000 },
  ])('$what', ({ of, head, dueMs }) => {
    expect(submitDueMs(of, head, EVERY_MS, NOW_MS)).toBe(dueMs)
  })

  it.each([1, 365])('now where the clock was %d days off, either way', (days) => {
    for (const awayMs of [days * DAY_MS, -days * DAY_MS])
      for (const submitted of [4, 5]) {
        const dueMs = submitDueMs(handedOver(submitted, 99, NOW_MS + awayMs), open, EVERY_MS, NOW_MS)
        expect(dueMs).toBeLessThanOrEqual(NOW_MS)
      }
  })

  it('again at once when a person or a trial asks for it', () => {
    const before = aSession(5, { listed: listedUpTo(5), witnessing: handedOver(5, 9) })
    const { witnessing } = sessionTransition(before, [], { type: 'resumed' }, now)!.session
    expect(submitDueMs(witnessing, open, EVERY_MS, NOW_MS)).toBeLessThanOrEqual(NOW_MS)
    // What the relay took in vain it still has.
    expect(witnessing.taken).toBe(before.witnessing.taken)
  })
})

describe('how the newest head stands', () => {
  const step = (witnessing: Witnessing, event: Exclude<WitnessEvent, Failed>, nowMs = NOW_MS) =>
    witnessStep(witnessing, event, at(nowMs))
  const looked = { shown: 0, atMs: NOW_MS + 9, blockNumber: 7, taken: 0 }
  const look = { ...looked, type: 'look-again', handed: false } as const
  const handing = (size: number, taken = 0) => ({ ...looked, type: 'anchor-sent', size, taken }) as const
  const fail = (witnessing: Witnessing, code: ErrorCode) =>
    afterFailedEffort(witnessing, { code, message: 'why', retryAfterMs: 0 }, now)

  it('goes from handing over to looking at the chain', () => {
    const sent = step(NOT_WITNESSED, handing(5))
    const notBeforeMs = NOW_MS + 9
    const newest = { blockNumber: 7, sinceMs: NOW_MS }
    const at5 = { ...NOT_WITNESSED, submitted: 5, submittedAtMs: NOW_MS, notBeforeMs, newest }
    expect(sent).toEqual({ ...at5, handing: true })
    const looking = step(sent, { ...look, handed: true })
    expect(looking).toEqual({ ...at5, taken: 1, handing: false })
    expect(step(looking, { ...look, taken: 1 })).toEqual(looking)
    // The block stands, then it goes on.
    expect(step(looking, look, NOW_MS + 5).newest).toEqual({ blockNumber: 7, sinceMs: NOW_MS })
    expect(step(looking, { ...look, blockNumber: 8 }, NOW_MS + 5).newest).toEqual({
      blockNumber: 8,
      sinceMs: NOW_MS + 5,
    })
  })

  it('counts how often the relay took a head in vain, a new one too, so that it can be told', () => {
    let witnessing = NOT_WITNESSED
    for (let times = 1; times <= TAKEN_TO_TELL; times++) {
      const { taken } = witnessing
      const sent = step(witnessing, handing(4 + times, taken))
      witnessing = step(sent, { ...look, shown: 4, taken, handed: true })
      expect(witnessing.taken).toBe(times)
      witnessing = step(witnessing, { ...look, shown: 4, taken: times })
      expect(witnessing.taken).toBe(times)
    }
    expect(step(witnessing, { ...look, shown: 4 + TAKEN_TO_TELL }).taken).toBe(0)
  })

  it('waits or parks after a failure; a hand-over that has only begun forgives none, one that was taken does', () => {
    const failed = fail(NOT_WITNESSED, 'server-error')
    expect(failed).toMatchObject({ failures: 1, notBeforeMs: NOW_MS + 250 })
    const sent = step(failed, handing(5))
    expect(sent).toMatchObject({ failures: 1, lastError: { code: 'server-error' } })
    const taken = step(sent, { ...look, handed: true })
    expect(taken.failures).toBe(0)
    expect(taken.lastError).toBeUndefined()
    expect(fail(NOT_WITNESSED, 'anchor-rejected').notBeforeMs).toBe(Infinity)
  })
})
