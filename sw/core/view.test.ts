import { describe, expect, it } from 'vitest'
import { chunkIdOf, type Cid, type SessionId, type Sha256Hex } from '../../src/protocol/ids.ts'
import type { ChunkRecord } from './record.ts'
import { newSession } from './session.ts'
import { chunkView, sessionView } from './view.ts'

const sessionId = '00000000-0000-4000-8000-000000000001' as SessionId
const seal = { encryptedHash: 'e'.repeat(64) as Sha256Hex, iv: 'A'.repeat(16), cid: 'bcid' as Cid }
const session = newSession({ sessionId, mimeType: 'video/webm', startedAtMs: 5, access: [] })
const chunk: ChunkRecord = {
  id: chunkIdOf(sessionId, 0),
  sessionId,
  index: 0,
  plaintextHash: 'a'.repeat(64) as Sha256Hex,
  capturedAt: 1,
  durationMs: 2,
  sizeBytes: 3,
  state: { status: 'captured', wait: { kind: 'parked' } },
  retryCount: 4,
  failures: 1,
  lastError: { code: 'defect', message: 'why' },
  due: [0, 0, 0],
}

/** Nothing is under way. */
const still = { bytesOf: () => 0, bytesPerSecond: () => 0 }
const moving = { bytesOf: () => 1_000, bytesPerSecond: () => 300 }

describe('chunkView', () => {
  it('tells of a raw chunk that waits for a person, and nothing of the queue', () => {
    expect(chunkView(chunk, still)).toEqual({
      id: chunk.id,
      sessionId,
      index: 0,
      status: 'captured',
      parked: true,
      sizeBytes: 3,
      storedBytes: 0,
      durationMs: 2,
      plaintextHash: chunk.plaintextHash,
      capturedAtMs: 1,
      retryCount: 4,
      lastError: { code: 'defect', message: 'why' },
    })
  })

  it('tells where and when a confirmed chunk went', () => {
    const state = { status: 'confirmed', seal, uploadedAtMs: 8, confirmedAtMs: 9 } as const
    expect(chunkView({ ...chunk, state }, still)).toMatchObject({
      status: 'confirmed',
      parked: false,
      ...seal,
      uploadedAtMs: 8,
      confirmedAtMs: 9,
      storedBytes: 3,
    })
  })

  it('tells how much of an upload under way the store has', () => {
    const state = { status: 'uploading', wait: { kind: 'due', notBeforeMs: 0 }, sent: true, seal } as const
    expect(chunkView({ ...chunk, sizeBytes: 9_000, state }, moving).storedBytes).toBe(1_000)
  })
})

describe('sessionView', () => {
  it('tells ending and upload, the tally and why the session does not go on', () => {
    const trouble = { error: { code: 'unreachable', message: 'why' }, sinceMs: 70, retryAtMs: 77 } as const
    expect(sessionView({ ...session, trouble }, still)).toMatchObject({
      id: sessionId,
      ending: 'recording',
      upload: 'publishing',
      paused: false,
      parked: 0,
      localBytes: 0,
      chunks: session.tally,
      lastError: trouble.error,
      retryAtMs: 77,
    })
  })

  it('tells when a refused sign-in is tried again', () => {
    const trouble = { error: { code: 'sign-in-needed', message: 'why' }, sinceMs: 70 } as const
    const trials = { 'sign-in': { failures: 1, retryAtMs: 99, setAtMs: 9 } }
    expect(sessionView({ ...session, trouble, trials }, still)).toMatchObject({ retryAtMs: 99 })
    expect(sessionView({ ...session, trouble }, still)).not.toHaveProperty('retryAtMs')
  })

  it('tells the progress of its uploads, and how long they still need at the rate of all', () => {
    const half = { ...session, totalBytes: 10_000, storedBytes: 4_000 }
    expect(sessionView(half, moving).progress).toEqual({
      totalBytes: 10_000,
      storedBytes: 5_000,
      bytesPerSecond: 300,
      timeLeftMs: 16_667,
    })
    expect(sessionView({ ...half, storedBytes: 10_000 }, moving).progress).toEqual({
      totalBytes: 10_000,
      storedBytes: 10_000,
      bytesPerSecond: 300,
      timeLeftMs: 0,
    })
  })

  it.each([0, 10_000])(
    'tells no time left while the rate is not known, with %d bytes to go',
    (totalBytes) => {
      expect(sessionView({ ...session, totalBytes }, still).progress).toEqual({
        totalBytes,
        storedBytes: 0,
        bytesPerSecond: 0,
      })
    },
  )

  it('hands out neither wrapped keys nor the bookkeeping', () => {
    const view = sessionView(session, still)
    for (const hidden of ['access', 'publication', 'trouble', 'trials', 'open', 'sealedBy'])
      expect(view).not.toHaveProperty(hidden)
  })
})
