import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../protocol/errors.ts'
import { CHUNK_STATUSES, type SessionSnapshot } from '../protocol/snapshot.ts'
import { formatMoment } from './format.ts'
import { onTheirWay, summaryOf, urgentOf } from './recovery-summary.ts'
import { texts } from './texts.ts'

const GO = { policy: 'always', metered: false } as const
const OFF = { policy: 'paused', metered: false } as const
const STARTED = 1_700_000_000_000

const waiting = (code?: ErrorCode, more: Partial<SessionSnapshot> = {}) =>
  ({
    id: `${code}`,
    ending: 'complete',
    upload: 'uploading',
    startedAtMs: STARTED,
    parked: code ? 1 : 0,
    paused: false,
    chunks: Object.fromEntries(CHUNK_STATUSES.map((status) => [status, 1])),
    progress: { totalBytes: 0, storedBytes: 0, totalMs: 21_000, storedMs: 18_000, bytesPerSecond: 0 },
    ...(code && { lastError: { code, message: 'It failed.' } }),
    ...more,
  }) as unknown as SessionSnapshot

const signIn = async () => true
const freeSpace = () => {}

const running = waiting(undefined, { ending: 'recording' })
const proved = waiting(undefined, {
  upload: 'confirmed',
  progress: { totalBytes: 0, storedBytes: 0, totalMs: 60_000, storedMs: 60_000, bytesPerSecond: 0 },
})

describe('the figures', () => {
  it('count what is proved, and what is being made, as safe elsewhere; on their way are those that have ended', () => {
    expect(summaryOf([running, waiting('defect'), proved])).toEqual({
      recordings: 1,
      elsewhereMs: 18_000 + 18_000 + 60_000,
      hereMs: 3_000 + 3_000,
      waitingForYou: 1,
    })
  })
})

describe('the most urgent thing', () => {
  const when = formatMoment(STARTED)

  it('has its remedy beside it, whose name says for which recording', () => {
    expect(urgentOf([waiting('sign-in-needed')], GO, true, { signIn })).toMatchObject({
      words: 'You are signed out where the recordings are kept.',
      remedy: { kind: 'signIn', label: 'Sign in', name: `Sign in for the recording of ${when}` },
    })
    expect(urgentOf([waiting('rejected-by-store')], GO, true)).toMatchObject({
      remedy: { kind: 'resume', label: 'Resume', name: `Resume the recording of ${when}` },
    })
  })

  it('is told of a failure that only a newer worker knows', () => {
    const told = urgentOf([waiting('of-tomorrow' as ErrorCode)], GO, true)
    expect(told.words).toBe(texts.errors.defect.join(' '))
  })

  it('asks for a sign-in only where the app has one, and only for what waits for that', () => {
    const out = waiting('sign-in-needed')
    expect(urgentOf([out], GO, true)).toMatchObject({ remedy: { kind: 'resume' } })
    const all = [waiting('defect'), out, waiting('sign-in-needed', { paused: true }), waiting()]
    expect(urgentOf(all, GO, true, { signIn }).remedy).toMatchObject({ kind: 'signIn', of: [out] })
    const many = urgentOf([out, out], GO, true, { signIn }).remedy
    expect(many).toMatchObject({ name: 'Sign in', of: [out, out] })
  })

  it('resumes no recording that goes on by itself', () => {
    const [first, second] = [waiting('defect'), waiting('defect')]
    const { remedy } = urgentOf(onTheirWay([waiting(), first, second]), GO, true)
    expect(remedy).toMatchObject({ kind: 'resume', label: 'Resume all 2', name: 'Resume all 2' })
    expect(remedy?.of).toEqual([first, second])
  })

  it('is a device without room first, then what stops everything', () => {
    const pending = [waiting('sign-in-needed')]
    const offers = { signIn, freeSpace }
    const full = { words: texts.remedy.almostFull, remedy: { kind: 'freeSpace' } }
    expect(urgentOf(pending, OFF, true, offers)).toMatchObject(full)
    expect(urgentOf([], GO, true, offers)).toMatchObject(full)
    expect(urgentOf(pending, OFF, true, { signIn })).toMatchObject({ remedy: { kind: 'upload' } })
  })

  it('needs nobody where it goes on by itself', () => {
    expect(urgentOf([waiting()], GO, true, { signIn })).toEqual({ words: texts.recovery.goesOn })
    for (const none of [[], [proved]])
      expect(urgentOf(none, GO, true, { signIn })).toEqual({ words: texts.recovery.nothing })
  })

  it('does not say that nothing waits while a recording is being made', () => {
    expect(urgentOf([running, proved], GO, true)).toEqual({ words: texts.recovery.goesOn })
    expect(urgentOf([running], OFF, true)).toMatchObject({
      words: 'Uploads are off: 00:03 is on this device only.',
      remedy: { kind: 'upload' },
    })
  })
})
