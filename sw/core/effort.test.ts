import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import { aListing } from '../testing/records.ts'
import { again, afterFailedEffort, isParked, NEW_EFFORT } from './effort.ts'
import type { Effort } from './record.ts'

const NOW_MS = 1_800_000_000_000
const now = { nowMs: NOW_MS, random: 0.5 }
const after = (code: ErrorCode, effort: Effort = NEW_EFFORT, retryAfterMs = 0) =>
  afterFailedEffort(effort, { code, message: 'why', retryAfterMs, circuitUntilMs: NOW_MS + 9 }, now)

describe('an effort that failed', () => {
  it('waits, longer after each failure, and never sooner than the server asked', () => {
    const once = after('server-error')
    expect(once).toEqual({
      failures: 1,
      notBeforeMs: NOW_MS + 250,
      lastError: { code: 'server-error', message: 'why' },
    })
    expect(after('server-error', once)).toMatchObject({
      failures: 2,
      notBeforeMs: NOW_MS + 500,
    })
    expect(after('throttled', once, 90_000).notBeforeMs).toBe(NOW_MS + 90_000)
  })

  // Promise 6 of docs/guarantees.md.
  it.each(['unreachable', 'aborted'] as const)('spends no attempt on %s, and is due at once', (code) => {
    expect(after(code)).toMatchObject({ failures: 0, notBeforeMs: NOW_MS })
  })

  it.each(['sign-in-needed', 'rejected-by-store', 'anchor-rejected', 'forked', 'defect'] as const)(
    'parks where time alone does not help: %s',
    (code) => expect(after(code)).toMatchObject({ failures: 1, notBeforeMs: Infinity }),
  )

  it('waits after five conflicts in a row, and parks with the next', () => {
    let effort: Effort = NEW_EFFORT
    const parked = [1, 2, 3, 4, 5, 6].map(() => {
      effort = after('bad-answer', effort)
      return isParked(effort)
    })
    expect(parked).toEqual([false, false, false, false, false, true])
  })

  it('is forgiven by progress, and keeps what it is of', () => {
    const listing = aListing(2, 5, { resumeToken: 'here' })
    const failure = { code: 'rejected-by-store', message: 'why', retryAfterMs: 0 } as const
    const failed = afterFailedEffort(listing, failure, now)
    expect(failed).toMatchObject({ frame: { from: 2 }, resumeToken: 'here' })
    expect(again(failed)).toEqual(listing)
    expect(again(failed, true)).toEqual({ ...failed, notBeforeMs: 0, onTrial: true })
  })
})
