import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import type { Failure } from './chunk-machine.ts'
import { nextStepMs, workRemains } from './plan.ts'
import { newSession } from './session.ts'
import { isBlocked, nextTrial, signInFailed, signInWorks } from './sign-in.ts'

const NOW_MS = 1_800_000_000_000
const MINUTE_MS = 60_000
const at = (random: number) => ({ nowMs: NOW_MS, random })
const latest = at(1 - Number.EPSILON)
const failure = (code: ErrorCode, retryAfterMs = 0): Failure => ({ code, message: 'why', retryAfterMs })
const session = newSession({
  sessionId: '00000000-0000-4000-8000-000000000001' as SessionId,
  mimeType: 'video/webm',
  startedAtMs: 5,
  access: [],
})

describe('the next trial of a sign-in', () => {
  const minutes = (failures: number, random: number) =>
    (nextTrial(failures, at(random)).retryAtMs - NOW_MS) / MINUTE_MS

  it('comes after 1 to 5 minutes at first, the bound doubling to an hour', () => {
    expect([0, 1, 2, 3, 4, 5, 2_000].map((failures) => minutes(failures, 1 - Number.EPSILON))).toEqual([
      5, 10, 20, 40, 60, 60, 60,
    ])
    expect([0, 3, 2_000].map((failures) => minutes(failures, 0))).toEqual([1, 1, 1])
    expect(minutes(2, 0.5)).toBe(10)
  })
})

describe('a session whose sign-in was refused', () => {
  it('waits for one trial, however many of its items were refused', () => {
    const once = signInFailed(session, failure('sign-in-needed'), latest)
    expect(once.signIn).toEqual({ failures: 1, retryAtMs: NOW_MS + 5 * MINUTE_MS })
    const later = { nowMs: NOW_MS + 9_000, random: 0.9 }
    expect(signInFailed(once, failure('sign-in-needed'), later).signIn).toEqual(once.signIn)
  })

  it('waits as long as the server asks', () => {
    const asked = failure('sign-in-needed', 7_200_000)
    const once = signInFailed(session, asked, latest)
    expect(once.signIn?.retryAtMs).toBe(NOW_MS + 7_200_000)
    const twice = signInFailed(signInFailed(session, failure('sign-in-needed'), latest), asked, latest)
    expect(twice.signIn?.retryAtMs).toBe(NOW_MS + 7_200_000)
  })

  it.each(['unreachable', 'server-error', 'bad-answer', 'rejected-by-store', 'defect'] as const)(
    'is none after %s',
    (code) => {
      expect(signInFailed(session, failure(code), latest)).toBe(session)
      expect(isBlocked({ lastError: failure(code) })).toBe(false)
    },
  )

  it('is tried within a minute once an upload went through, and not later than it would have been', () => {
    const inAnHour = { failures: 7, retryAtMs: NOW_MS + 60 * MINUTE_MS }
    expect(signInWorks(inAnHour, true, NOW_MS)).toEqual({ failures: 0, retryAtMs: NOW_MS + MINUTE_MS })
    expect(signInWorks(inAnHour, false, NOW_MS)).toEqual({ failures: 7, retryAtMs: NOW_MS + MINUTE_MS })
    const soon = { failures: 7, retryAtMs: NOW_MS + 5 }
    expect(signInWorks(soon, true, NOW_MS)).toEqual({ failures: 0, retryAtMs: NOW_MS + 5 })
  })

  it('has work left, due at the trial, unless it is paused', () => {
    const parked = {
      ...session,
      ending: 'complete',
      parked: 1,
      tally: { ...session.tally, uploading: 1 },
    } as const
    expect(workRemains(parked)).toBe(false)
    const waiting = { ...parked, signIn: { failures: 1, retryAtMs: 77 } }
    expect(workRemains(waiting)).toBe(true)
    expect(nextStepMs(waiting)).toBe(77)
    expect(nextStepMs({ ...waiting, tally: { ...waiting.tally, uploaded: 1 } })).toBe(0)
    expect(workRemains({ ...waiting, paused: true })).toBe(false)
  })
})
