import { describe, expect, it } from 'vitest'
import {
  aChunk,
  aListing,
  anchoredAt,
  aSession,
  SEAL as seal,
  SESSION_ID as sessionId,
  SESSION_NAME,
} from '../testing/records.ts'
import { chunkView, sessionView } from './view.ts'

const session = aSession(5)
const chunk = aChunk(
  0,
  { status: 'captured' },
  {
    durationMs: 2,
    sizeBytes: 3,
    retryCount: 4,
    effort: { failures: 1, notBeforeMs: Infinity, lastError: { code: 'defect', message: 'why' } },
    due: [0, 0, 0],
    position: 3,
    proved: [sessionId, 3],
  },
)

/** Nothing is under way. */
const still = { bytesOf: () => 0, bytesPerSecond: () => 0 }
const moving = { bytesOf: () => 1_000, bytesPerSecond: () => 300 }

describe('chunkView', () => {
  it('tells of a raw chunk that waits for a person, and nothing of the queue', () => {
    expect(chunkView(chunk, session, still)).toEqual({
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
    expect(chunkView({ ...chunk, state, effort: undefined }, session, still)).toMatchObject({
      status: 'confirmed',
      parked: false,
      ...seal,
      uploadedAtMs: 8,
      confirmedAtMs: 9,
      storedBytes: 3,
    })
  })

  it('tells how much of an upload under way the store has', () => {
    const state = { status: 'uploading', seal } as const
    expect(chunkView({ ...chunk, sizeBytes: 9_000, state }, session, moving).storedBytes).toBe(1_000)
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
      failingSinceMs: 70,
      retryAtMs: 77,
    })
  })

  it('tells when a refused sign-in is tried again', () => {
    const trouble = { error: { code: 'sign-in-needed', message: 'why' }, sinceMs: 70 } as const
    const trials = { 'sign-in': { failures: 1, retryAtMs: 99, setAtMs: 9 } }
    expect(sessionView({ ...session, trouble, trials }, still)).toMatchObject({ retryAtMs: 99 })
    expect(sessionView({ ...session, trouble }, still).retryAtMs).toBeUndefined()
  })

  it('tells the progress of its uploads, and how long they still need at the rate of all', () => {
    const half = { ...session, totalBytes: 10_000, storedBytes: 4_000, totalMs: 21_000, storedMs: 18_000 }
    expect(sessionView(half, moving).progress).toEqual({
      totalBytes: 10_000,
      storedBytes: 5_000,
      totalMs: 21_000,
      storedMs: 18_000,
      bytesPerSecond: 300,
      timeLeftMs: 16_667,
    })
    expect(sessionView({ ...half, storedBytes: 10_000 }, moving).progress).toEqual({
      totalBytes: 10_000,
      storedBytes: 10_000,
      totalMs: 21_000,
      storedMs: 18_000,
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
        totalMs: 0,
        storedMs: 0,
        bytesPerSecond: 0,
      })
    },
  )

  it('tells the name that readers ask for, and what the chain holds', () => {
    expect(sessionView(session, still).anchor).toBeUndefined()
    const anchored = anchoredAt(4)
    expect(sessionView({ ...session, anchored }, still)).toMatchObject({
      name: SESSION_NAME,
      anchor: anchored,
    })
  })

  it('hands out neither sealed keys nor the bookkeeping', () => {
    const trouble = { error: { code: 'unreachable', message: 'why' }, sinceMs: 70 } as const
    const trials = { refusal: { failures: 1, retryAtMs: 99, setAtMs: 9 } }
    const full = { ...session, listing: aListing(0, 2), logEnd: 'interrupted', trouble, trials } as const
    const view = sessionView(full, still)
    for (const hidden of [
      'access',
      'publicKey',
      'size',
      'logEnd',
      'listed',
      'listing',
      'witnessing',
      'trouble',
      'trials',
      'open',
      'sealedBy',
    ]) {
      expect(full).toHaveProperty(hidden)
      expect(view).not.toHaveProperty(hidden)
    }
  })
})
