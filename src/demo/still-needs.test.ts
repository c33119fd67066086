import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../protocol/errors.ts'
import type { GroupId, SessionId, SessionName } from '../protocol/ids.ts'
import { CHUNK_STATUSES, type ChunkStatus, type SessionSnapshot } from '../protocol/snapshot.ts'
import { needsResume, stillNeeds } from './still-needs.ts'

const NOW = 1_700_000_000_000

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
    startedAtMs: NOW - 60_000,
    missing: 0,
    paused: false,
    chunks: { ...none, ...chunks },
    parked: 0,
    localBytes: 0,
    progress: { totalBytes: 0, storedBytes: 0, totalMs: 0, storedMs: 0, bytesPerSecond: 0 },
    ...more,
  }
}

const failing = (code: ErrorCode) => ({ lastError: { code, message: 'It failed.' } })
const needs = (...args: Parameters<typeof session>) => stillNeeds(session(...args), NOW)

describe('what a session still needs', () => {
  it('counts the chunks to upload before anything else', () => {
    expect(needs({ uploading: 2, uploaded: 1, confirmed: 2 })).toBe(
      '2 of 5 chunks to upload, then publish and anchor',
    )
    expect(needs({ captured: 1 })).toBe('1 of 1 chunk to upload, then publish and anchor')
  })

  it('goes on to the log, then the chain', () => {
    expect(needs({ uploaded: 3 })).toBe('Publish the log and anchor it')
    expect(needs({ manifesting: 3 })).toBe('Publish the log and anchor it')
    expect(needs({ anchoring: 3 })).toBe('Waiting for the chain')
    expect(needs({ confirmed: 3 })).toBe('Publish the end of the log and anchor it')
    expect(needs({})).toBe('No chunk was saved; closing the session')
  })

  it('says what it waits for, and until when', () => {
    expect(needs({ uploading: 2 }, { ...failing('unreachable'), retryAtMs: NOW + 7_400 })).toBe(
      '2 of 2 chunks to upload, then publish and anchor; waiting for network, next try in 8 s',
    )
    expect(needs({ anchoring: 2 }, { ...failing('server-error'), retryAtMs: NOW + 180_000 })).toBe(
      'Waiting for the chain; the server failed, next try in 3 min',
    )
  })

  it('promises no try in the past', () => {
    expect(needs({ uploading: 1 }, { ...failing('unreachable'), retryAtMs: NOW - 1 })).toBe(
      '1 of 1 chunk to upload, then publish and anchor; waiting for network',
    )
  })

  it('tells the person what to do where waiting does not help', () => {
    expect(needs({ uploading: 3 }, { parked: 3, ...failing('sign-in-needed') })).toBe(
      'Parked: sign in again; uploads then go on by themselves, or at once when you resume the session',
    )
    expect(
      needs({ uploading: 3 }, { parked: 3, ...failing('sign-in-needed'), retryAtMs: NOW + 240_000 }),
    ).toMatch(/resume the session, next try in 4 min$/)
  })

  it('has a word for a pause, another recorder and the end', () => {
    expect(needs({ uploaded: 1 }, { paused: true })).toBe('Paused: publish the log and anchor it')
    expect(needs({ uploading: 1 }, { ending: 'recording' })).toBe('Being recorded in another tab')
    expect(needs({ confirmed: 1 }, { upload: 'confirmed' })).toBe('Nothing: all of it is confirmed')
  })

  it('has words for every status', () => {
    for (const status of CHUNK_STATUSES) expect(needs({ [status]: 1 })).not.toBe('')
  })
})

describe('what only a person can get going', () => {
  it('is paused, parked or refused', () => {
    expect(needsResume(session({ uploading: 1 }, { paused: true }))).toBe(true)
    expect(needsResume(session({ uploading: 1 }, { parked: 1 }))).toBe(true)
    expect(needsResume(session({ anchoring: 1 }, failing('anchor-rejected')))).toBe(true)
  })

  it('is not what passes by itself, nor what is confirmed', () => {
    expect(needsResume(session({ uploading: 1 }, failing('unreachable')))).toBe(false)
    expect(needsResume(session({ confirmed: 1 }, { upload: 'confirmed', paused: true }))).toBe(false)
  })
})
