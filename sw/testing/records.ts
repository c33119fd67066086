import {
  chunkIdOf,
  type Cid,
  type SessionId,
  type SessionName,
  type Sha256Hex,
} from '../../src/protocol/ids.ts'
import type {
  AddressedSeal,
  Anchored,
  ChunkRecord,
  ChunkState,
  HeadRecord,
  Listing,
  SessionRecord,
} from '../core/record.ts'
import { NEW_EFFORT } from '../core/effort.ts'
import { newSession } from '../core/session.ts'

// Records for tests of decisions: nothing in them is computed, everything has the length that it has in use.

export const SESSION_ID = '00000000-0000-4000-8000-000000000001' as SessionId
export const SESSION_NAME = 'ab'.repeat(32) as SessionName

export const digest = (letter: string) => letter.repeat(64) as Sha256Hex

export const SEAL: AddressedSeal = {
  encryptedHash: digest('e'),
  iv: 'a'.repeat(24),
  chunkKey: 'c'.repeat(160),
  cid: `b${'a'.repeat(58)}` as Cid,
}

/** A recording that has just begun, before its first entry. */
export const aSession = (startedAtMs: number, rest: Partial<SessionRecord> = {}): SessionRecord => ({
  ...newSession(
    {
      sessionId: SESSION_ID,
      publicKey: 'd'.repeat(128),
      signingKey: new ArrayBuffer(0),
      sealingKey: 'f'.repeat(64),
      mimeType: 'video/webm',
      startedAtMs,
      access: [],
      seal: 'page',
    },
    SESSION_NAME,
  ),
  changedAtMs: startedAtMs,
  ...rest,
})

export const aChunk = (index: number, state: ChunkState, rest: Partial<ChunkRecord> = {}): ChunkRecord => ({
  id: chunkIdOf(SESSION_ID, index),
  sessionId: SESSION_ID,
  index,
  plaintextHash: digest('a'),
  capturedAtMs: 1,
  durationMs: 1,
  sizeBytes: 10,
  state,
  effort: state.uploadedAtMs === undefined ? NEW_EFFORT : undefined,
  retryCount: 0,
  ...rest,
})

const aFrame = (from: number) => ({ number: from === 0 ? 1 : 2, from, frontier: [], links: [] })

/** The page that takes a log from one size to another. */
export const aListing = (from: number, to: number, rest: Partial<Listing> = {}): Listing => ({
  ...NEW_EFFORT,
  frame: aFrame(from),
  tree: { size: to, frontier: [] },
  page: digest('9'),
  sizeBytes: 900,
  ...rest,
})

/** A log that is listed up to this size. */
export const listedUpTo = (size: number) => ({
  tree: { size, frontier: [] },
  pages: { number: 1, digests: [digest('9')] },
})

export const aHead = (size: number, end = false, from = 0, provedAtMs = 0): HeadRecord => ({
  sessionId: SESSION_ID,
  size,
  root: digest('7'),
  page: digest('9'),
  previous: null,
  end,
  signature: '5'.repeat(128),
  frame: aFrame(from),
  provedAtMs,
})

/** What the chain holds. */
export const anchoredAt = (size: number): Anchored => ({
  size,
  root: digest('7'),
  page: digest('9'),
  blockNumber: 7,
  blockAtMs: 8,
  confirmedAtMs: 9,
})
