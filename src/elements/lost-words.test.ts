import { describe, expect, it } from 'vitest'
import type { SessionId, SessionName } from '../protocol/ids.ts'
import { lostWords } from './lost-words.ts'

describe('a recording that this device has lost', () => {
  const lost = {
    id: '00000000-0000-4000-8000-000000000001' as SessionId,
    name: '1'.repeat(64) as SessionName,
    startedAtMs: 0,
    lengthMs: 21_000,
    safeMs: 18_000,
    isAllSafe: false,
    isConfirmed: false,
  }
  it.each([
    [{}, '00:18 of 00:21 is safe elsewhere, the rest is lost.'],
    [{ isAllSafe: true }, 'all of its 00:21 is safe elsewhere.'],
    [{ safeMs: 21_000 }, '00:21 of 00:21 is safe elsewhere, the rest is lost.'],
    [{ lengthMs: 0, safeMs: 0 }, 'what of it was not uploaded yet is lost.'],
    [{ lengthMs: 0, safeMs: 0, isAllSafe: true }, 'all of it is safe elsewhere.'],
    [{ isConfirmed: true }, 'all of its 00:21 is safe elsewhere.'],
    [{ safeMs: 0 }, 'all of its 00:21 is lost.'],
  ])('%j is told as that', (what, expected) => {
    expect(lostWords({ ...lost, ...what })).toContain(expected)
  })
})
