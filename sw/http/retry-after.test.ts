import { describe, expect, it } from 'vitest'
import { LONGEST_WAIT_MS } from '../core/retry-policy.ts'
import { httpError } from './request.ts'
import { retryAfterMs } from './retry-after.ts'

// Promise 6 of docs/guarantees.md.

const NOW_MS = Date.parse('Sun, 06 Nov 1994 08:49:37 GMT')
const DAY_MS = 86_400_000

const waitOf = (retryAfter: string | null, nowMs: number, date: string | null = null) =>
  retryAfterMs(
    new Headers({
      ...(retryAfter !== null && { 'retry-after': retryAfter }),
      ...(date !== null && { date }),
    }),
    nowMs,
  )

describe('retryAfterMs', () => {
  it.each([
    { header: '0', ms: 0 },
    { header: '7', ms: 7_000 },
    { header: ' 120 ', ms: 120_000 },
    { header: 'Sun, 06 Nov 1994 08:49:52 GMT', ms: 15_000 },
    { header: 'Sunday, 06-Nov-94 08:49:52 GMT', ms: 15_000 },
    { header: 'Sun Nov  6 08:49:52 1994', ms: 15_000 },
    // ISO 8601, as gateways and Vimeo send it.
    { header: '1994-11-06T08:49:52Z', ms: 15_000 },
    { header: '1994-11-06T08:49:52.000000Z', ms: 15_000 },
    { header: '1994-11-06T09:49:52+01:00', ms: 15_000 },
  ])('$header is $ms ms', ({ header, ms }) => expect(waitOf(header, NOW_MS)).toBe(ms))

  it.each([
    null,
    '',
    '-5',
    '1.5',
    '1e3',
    '0x10',
    '120, 120',
    'soon',
    'soon 5',
    'Sun',
    '1994-11-06T08:49:30Z',
    '1994-11-06',
    '1994-11-06T99:00:00Z',
    'Sun, 06 Nov 1994 08:49:30 GMT',
  ])('%j is none', (header) => expect(waitOf(header, NOW_MS)).toBeUndefined())
})

describe('a wait until a date', () => {
  const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT'
  const IN_A_MINUTE = 'Sun, 06 Nov 1994 08:50:37 GMT'

  it.each([
    ['right', 0],
    ['eight hours behind', -8 * 3_600_000],
    ['a year behind', -365 * DAY_MS],
    ['an hour ahead', 3_600_000],
  ])('counts from the answer’s own date, though our clock is %s', (_, skewMs) => {
    expect(waitOf(IN_A_MINUTE, NOW_MS + skewMs, DATE)).toBe(60_000)
  })

  it.each([null, '', 'yesterday'])('counts from our clock where that date is %j', (date) => {
    expect(waitOf(IN_A_MINUTE, NOW_MS + 10_000, date)).toBe(50_000)
  })

  it.each([
    { asked: IN_A_MINUTE, date: DATE, ms: 60_000 },
    { asked: 'Fri, 31 Dec 9999 23:59:59 GMT', date: DATE, ms: LONGEST_WAIT_MS },
    { asked: 'Fri, 31 Dec 9999 23:59:59 GMT', date: '', ms: LONGEST_WAIT_MS },
    { asked: '9999-12-31T23:59:59Z', date: DATE, ms: LONGEST_WAIT_MS },
    { asked: '99999999', date: DATE, ms: LONGEST_WAIT_MS },
    { asked: '9'.repeat(400), date: DATE, ms: LONGEST_WAIT_MS },
  ])('is heeded in an HTTP error, for an hour at most: $asked', ({ asked, date, ms }) => {
    const headers = new Headers({ date, 'retry-after': asked })
    const url = 'https://store.example/'
    const answer = { origin: url, url, status: 503, ok: false, headers, bytes: new Uint8Array(), text: '' }
    expect(httpError(answer).retryAfterMs).toBe(ms)
  })
})
