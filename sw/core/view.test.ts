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

describe('chunkView', () => {
  it('tells of a raw chunk that waits for a person, and nothing of the queue', () => {
    expect(chunkView(chunk)).toEqual({
      id: chunk.id,
      sessionId,
      index: 0,
      status: 'captured',
      parked: true,
      sizeBytes: 3,
      durationMs: 2,
      plaintextHash: chunk.plaintextHash,
      capturedAt: 1,
      retryCount: 4,
      lastError: { code: 'defect', message: 'why' },
    })
  })

  it('tells where and when a confirmed chunk went', () => {
    const state = { status: 'confirmed', seal, uploadedAtMs: 8, confirmedAtMs: 9 } as const
    expect(chunkView({ ...chunk, state })).toMatchObject({
      status: 'confirmed',
      parked: false,
      ...seal,
      uploadedAt: 8,
      confirmedAt: 9,
    })
  })
})

describe('sessionView', () => {
  it('tells the status, the tally and what holds the session up', () => {
    const trouble = { error: { code: 'unreachable', message: 'why' }, retryAtMs: 77 } as const
    expect(sessionView({ ...session, trouble })).toMatchObject({
      id: sessionId,
      status: 'recording',
      settled: false,
      paused: false,
      parked: 0,
      heldBytes: 0,
      chunks: session.tally,
      lastError: trouble.error,
      retryAtMs: 77,
    })
  })

  it('tells when a refused sign-in is tried again', () => {
    const trouble = { error: { code: 'sign-in-needed', message: 'why' } } as const
    const signIn = { failures: 1, retryAtMs: 99 }
    expect(sessionView({ ...session, trouble, signIn })).toMatchObject({ retryAtMs: 99 })
    expect(sessionView({ ...session, trouble })).not.toHaveProperty('retryAtMs')
  })

  it('hands out neither wrapped keys nor the bookkeeping', () => {
    const view = sessionView(session)
    for (const hidden of ['access', 'publication', 'trouble', 'signIn', 'open', 'sealedBy'])
      expect(view).not.toHaveProperty(hidden)
  })
})
