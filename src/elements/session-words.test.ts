import { describe, expect, it } from 'vitest'
import { ERRORS, type ErrorCode } from '../protocol/errors.ts'
import type { GroupId, SessionId, SessionName } from '../protocol/ids.ts'
import { CHUNK_STATUSES, type ChunkStatus, type SessionSnapshot } from '../protocol/snapshot.ts'
import {
  headlineOf,
  HOLDS,
  LEAVES,
  canResume,
  needsResume,
  needsWords,
  safeWords,
  situationOf,
  STAGES,
  type Headline,
} from './session-words.ts'
import { texts } from './texts.ts'

const NOW = 1_700_000_000_000
const GO = { policy: 'always', metered: false } as const
const OFF = { policy: 'paused', metered: false } as const

function session(
  chunks: Partial<Record<ChunkStatus, number>>,
  more: Partial<SessionSnapshot> = {},
): SessionSnapshot {
  const none = Object.fromEntries(CHUNK_STATUSES.map((status) => [status, 0])) as Record<ChunkStatus, number>
  return {
    id: '11111111-1111-4111-8111-111111111111' as SessionId,
    name: '11'.repeat(32) as SessionName,
    ending: 'interrupted',
    upload: 'uploading',
    groupIds: [`0x${'ab'.repeat(32)}` as GroupId],
    mimeType: 'video/webm',
    sealingKey: '22'.repeat(32),
    startedAtMs: NOW - 60_000,
    missing: 0,
    paused: false,
    chunks: { ...none, ...chunks },
    parked: 0,
    localBytes: 0,
    progress: { totalBytes: 0, storedBytes: 0, totalMs: 21_000, storedMs: 18_000, bytesPerSecond: 0 },
    ...more,
  }
}

const failing = (code: ErrorCode) => ({ lastError: { code, message: 'It failed.' } })

/**
 * Every cell. In a row: what may leave (free, wifi, off), and for each the holds (none, network, later, you).
 */
const TABLE: Readonly<Record<string, string>> = {
  'recording, goes on':
    'recording recording recording recording  recording recording recording recording  recording recording recording recording',
  'recording, paused':
    'recording recording recording recording  recording recording recording recording  recording recording recording recording',
  'local, goes on': 'local network later you  wifi wifi wifi wifi  off off off off',
  'local, paused': 'paused paused paused paused  paused paused paused paused  paused paused paused paused',
  'proof, goes on': 'proof network later you  wifi wifi wifi wifi  off off off off',
  'proof, paused': 'paused paused paused paused  paused paused paused paused  paused paused paused paused',
  'done, goes on': 'done done done done  done done done done  done done done done',
  'done, paused': 'done done done done  done done done done  done done done done',
}

/** And what it waits for. */
const WHY: Readonly<Record<string, string>> = {
  'goes on': 'none network later you  wifi wifi wifi wifi  off off off off',
  paused:
    'paused paused paused paused  paused-and-off paused-and-off paused-and-off paused-and-off  paused-and-off paused-and-off paused-and-off paused-and-off',
}

describe('the table of session × policy × circuit × pause', () => {
  const cells = STAGES.flatMap((stage) =>
    [false, true].flatMap((paused) =>
      LEAVES.flatMap((leaves, row) =>
        HOLDS.map((hold, column) => {
          const at = row * HOLDS.length + column
          const goes = paused ? 'paused' : 'goes on'
          const headline = TABLE[`${stage}, ${goes}`]?.split(/ +/)[at] as Headline
          const why = stage === 'done' ? 'none' : WHY[goes]?.split(/ +/)[at]
          return { stage, paused, leaves, hold, headline, why }
        }),
      ),
    ),
  )
  it('has each cell', () => expect(cells).toHaveLength(4 * 2 * 3 * 4))
  it.each(cells)(
    '$stage, paused $paused, leaves $leaves, hold $hold: $headline, since $why',
    ({ headline, why, ...situation }) => {
      expect(headlineOf(situation)).toEqual({ headline, why })
      expect(texts.state[headline]).toBeTruthy()
    },
  )

  it('says nothing of uploading while nothing may leave', () => {
    const words = needsWords(session({ uploading: 2 }), OFF, NOW)
    expect(words).toBe(
      '18:00'.replace(
        '18:00',
        '00:18 of 00:21 is safe elsewhere. Nothing leaves this device until you allow uploads.',
      ),
    )
  })
})

describe('a situation', () => {
  it.each([
    [session({ uploading: 1 }, { ending: 'recording' }), 'recording'],
    [session({ uploading: 1 }), 'local'],
    [session({ anchoring: 1 }, { upload: 'publishing' }), 'proof'],
    [session({ confirmed: 1 }, { upload: 'confirmed' }), 'done'],
  ] as const)('is at its stage (%#)', (given, stage) => {
    expect(situationOf(given, GO).stage).toBe(stage)
  })

  it.each([
    [GO, 'free'],
    [{ policy: 'unmetered', metered: false }, 'free'],
    [{ policy: 'unmetered', metered: true }, 'wifi'],
    [{ policy: 'paused', metered: true }, 'off'],
    [{ policy: 'always', metered: true }, 'free'],
  ] as const)('leaves by %j: %s', (policy, leaves) => {
    expect(situationOf(session({}), policy).leaves).toBe(leaves)
  })

  it('offers Resume only where that does something', () => {
    const [signedOut, byHand] = [session({}, failing('sign-in-needed')), session({}, { paused: true })]
    const off = { policy: 'paused', metered: false } as const
    expect([signedOut, byHand].map((one) => canResume(one, GO))).toEqual([true, true])
    expect([signedOut, byHand].map((one) => canResume(one, off))).toEqual([false, true])
  })

  it.each(Object.keys(ERRORS) as ErrorCode[])('stopped by %s is where its class says', (code) => {
    const { hold } = situationOf(session({ uploading: 1 }, failing(code)), GO)
    const isWaiting = ['transient', 'conflict'].includes(ERRORS[code])
    expect(hold).toBe(code === 'unreachable' ? 'network' : isWaiting ? 'later' : 'you')
    expect(needsResume(session({}, failing(code)))).toBe(hold === 'you')
  })

  it('waits for a person where something of it was set aside, whatever failed last', () => {
    expect(situationOf(session({ uploading: 1 }, { parked: 1, ...failing('timeout') }), GO).hold).toBe('you')
  })
})

describe('how much is safe elsewhere', () => {
  const progress = (storedMs: number, totalMs = 21_000) => ({
    progress: { totalBytes: 0, storedBytes: 0, totalMs, storedMs, bytesPerSecond: 0 },
  })
  it.each([
    [session({ uploading: 3 }, progress(0)), '00:21, on this device only.'],
    [
      session({ uploading: 1, uploaded: 5, confirmed: 1 }, progress(18_000)),
      '00:18 of 00:21 is safe elsewhere.',
    ],
    [session({ uploaded: 3 }, progress(21_000)), 'All of 00:21 is safe elsewhere.'],
    [session({ uploading: 2, uploaded: 1 }, progress(0, 0)), '1 of 3 pieces are safe elsewhere.'],
    [session({}, progress(0, 0)), 'Nothing of it is saved yet.'],
  ])('%#: %s', (given, words) => expect(safeWords(given)).toBe(words))
})

describe('what a session still needs', () => {
  const needs = (
    more: Partial<SessionSnapshot>,
    chunks: Partial<Record<ChunkStatus, number>> = { uploading: 1 },
  ) => needsWords(session(chunks, more), GO, NOW)

  it('says when it is tried again, and promises no try in the past', () => {
    const retry = (ms: number) => needs({ ...failing('server-error'), retryAtMs: NOW + ms })
    expect(retry(7_400)).toContain('Next try in 8 s.')
    expect(retry(-1)).not.toContain('Next try')
    expect(retry(-1)).toContain('It is asked again by itself.')
  })

  it('says what a person can do', () => {
    expect(needs(failing('sign-in-needed'))).toContain('Sign in again to go on.')
    expect(needs({ paused: true })).toContain('press Resume to go on')
  })

  it('says that the proof is not there yet once all of it is elsewhere', () => {
    expect(needs({ upload: 'publishing' }, { anchoring: 2 })).toBe(
      'All of 00:21 is safe elsewhere. When it was made is not proved yet.',
    )
  })
})
