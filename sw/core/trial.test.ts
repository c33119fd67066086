import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import { trialOf, type Failure } from './retry-policy.ts'
import { stepsDueMs, workRemains } from './plan.ts'
import type { TrialKind } from './record.ts'
import { afterRefusal, isShared, nextTrial, sooner } from './trial.ts'
import { aSession } from '../testing/records.ts'

const NOW_MS = 1_800_000_000_000
const MINUTE_MS = 60_000
const at = (random: number) => ({ nowMs: NOW_MS, random })
const latest = at(1 - Number.EPSILON)
const failure = (code: ErrorCode, retryAfterMs = 0): Failure => ({ code, message: 'why', retryAfterMs })
const session = aSession(5)

describe('the next trial', () => {
  const minutes = (of: TrialKind, failures: number, random: number) =>
    (nextTrial(of, failures, at(random)).retryAtMs - NOW_MS) / MINUTE_MS
  const latestOf = (of: TrialKind) =>
    [0, 1, 2, 3, 4, 5, 2_000].map((failures) => minutes(of, failures, 1 - Number.EPSILON))

  it('of a sign-in comes after 1 to 5 minutes at first, the bound doubling to an hour', () => {
    expect(latestOf('sign-in')).toEqual([5, 10, 20, 40, 60, 60, 60])
    expect([0, 3, 2_000].map((failures) => minutes('sign-in', failures, 0))).toEqual([1, 1, 1])
    expect(minutes('sign-in', 2, 0.5)).toBe(10)
  })

  it('of a refusal comes after a minute at first, the bound doubling to six hours', () => {
    expect(latestOf('refusal')).toEqual([1, 2, 4, 8, 16, 32, 360])
  })
})

describe('what is tried again by itself', () => {
  it.each([
    ['sign-in-needed', 'sign-in'],
    ['rejected-by-store', 'refusal'],
    ['anchor-rejected', 'refusal'],
    ['payload-unreadable', 'refusal'],
    ['defect', 'refusal'],
    ['payload-corrupt', undefined],
    ['unreachable', 'refusal'],
    ['bad-answer', 'refusal'],
  ] as const)('%s: %s', (code, of) => {
    expect(trialOf(failure(code))).toBe(of)
    const trials = afterRefusal(undefined, failure(code), latest)
    expect(Object.keys(trials ?? {})).toEqual(of ? [of] : [])
  })
})

describe('a session whose sign-in was refused', () => {
  it('waits for one trial, however many of its items were refused', () => {
    const once = afterRefusal(undefined, failure('sign-in-needed'), latest)
    expect(once).toEqual({
      'sign-in': { failures: 1, retryAtMs: NOW_MS + 5 * MINUTE_MS, setAtMs: NOW_MS },
    })
    const later = { nowMs: NOW_MS + 9_000, random: 0.9 }
    expect(afterRefusal(once, failure('sign-in-needed'), later)).toEqual(once)
  })

  it('waits as long as the server asks', () => {
    const asked = failure('sign-in-needed', 7_200_000)
    const once = afterRefusal(undefined, asked, latest)
    expect(once?.['sign-in']?.retryAtMs).toBe(NOW_MS + 7_200_000)
    const before = afterRefusal(undefined, failure('sign-in-needed'), latest)
    const twice = afterRefusal(before, asked, latest)
    expect(twice?.['sign-in']?.retryAtMs).toBe(NOW_MS + 7_200_000)
  })

  const waiting = { failures: 7, retryAtMs: NOW_MS + 60 * MINUTE_MS, setAtMs: NOW_MS } as const

  it('is tried once an upload went through, or a person arrives, but not twice within a minute', () => {
    const soonMs = NOW_MS + MINUTE_MS
    for (const nowMs of [NOW_MS, soonMs - 1, soonMs]) {
      expect(sooner(waiting, true, nowMs)).toEqual({ ...waiting, failures: 0, retryAtMs: soonMs })
      expect(sooner(waiting, false, nowMs)).toEqual({ ...waiting, retryAtMs: soonMs })
    }
    expect(sooner(waiting, false, soonMs + 9)).toEqual({ ...waiting, retryAtMs: soonMs + 9 })
  })

  it('is tried no later than it would have been', () => {
    const soon = { ...waiting, retryAtMs: NOW_MS + 5 }
    expect(sooner(soon, true, NOW_MS)).toEqual({ ...soon, failures: 0 })
  })

  it('stands for that of a session that was refused for the same alone', () => {
    const of = (code: ErrorCode) => ({
      ...session,
      trials: { refusal: waiting },
      trouble: { error: { code, message: 'No.' }, sinceMs: NOW_MS },
    })
    const first = { ...of('rejected-by-store'), trials: { refusal: { ...waiting, failures: 2 } } }
    const codes = ['rejected-by-store', 'anchor-rejected', 'payload-unreadable'] as const
    const alike = codes.map((code) => isShared(first, { ...of(code), trials: first.trials }))
    expect(alike).toEqual([true, false, false])
  })

  it('waits a minute, not for a moment that lies ahead since the clock was set back', () => {
    const HOUR_MS = 60 * MINUTE_MS
    const ahead = { ...waiting, setAtMs: NOW_MS + 5 * HOUR_MS, retryAtMs: NOW_MS + 5 * HOUR_MS + MINUTE_MS }
    expect(sooner(ahead, false, NOW_MS).retryAtMs).toBe(NOW_MS + MINUTE_MS)
  })

  it('has work left, due at the trial, unless it is paused', () => {
    const parked = {
      ...session,
      ending: 'complete',
      parked: 1,
      tally: { ...session.tally, uploading: 1 },
    } as const
    expect(workRemains(parked)).toBe(false)
    const due = { ...parked, trials: { 'sign-in': waiting } }
    expect(workRemains(due)).toBe(true)
    expect(stepsDueMs(due)['sign-in']).toBe(waiting.retryAtMs)
    expect(workRemains({ ...due, paused: true })).toBe(false)
  })

  it('sends nothing that was refused to see, while bytes cost money', () => {
    const parked = { ...session, ending: 'complete', parked: 1 } as const
    const refused = { ...parked, trials: { refusal: waiting } } as const
    expect(stepsDueMs(refused, 'small').refusal).toBe(Infinity)
    expect(stepsDueMs(refused, 'all').refusal).toBe(waiting.retryAtMs)
    const signIn = { ...parked, trials: { 'sign-in': waiting } }
    expect(stepsDueMs(signIn, 'small')['sign-in']).toBe(waiting.retryAtMs)
  })
})
