import { ERRORS, type WireError } from '../../src/protocol/errors.ts'
import type { ChunkRecord, SessionRecord } from './record.ts'
import { fullTally } from './session.ts'

// Records that another version of this code wrote: older ones lack what has come since, newer ones may say what this
// one does not know. Whatever is read from the disk passes through here, so that nothing else has to ask.

/** What an older version did not write. */
type Stored<T, Optional extends keyof T> = Omit<T, Optional> & Partial<Pick<T, Optional>>
type StoredSession = Stored<SessionRecord, 'tally' | 'parked' | 'localBytes' | 'totalBytes' | 'storedBytes'>
type StoredChunk = Stored<ChunkRecord, 'retryCount' | 'failures'>

/** A session as this version knows it. */
export function readSession(stored: unknown): SessionRecord | undefined {
  if (stored === undefined) return undefined
  const session = stored as StoredSession
  const { publication, trouble } = session
  return {
    parked: 0,
    localBytes: 0,
    totalBytes: 0,
    storedBytes: 0,
    ...session,
    tally: fullTally(session.tally),
    ...(trouble && {
      trouble: {
        ...trouble,
        sinceMs: trouble.sinceMs ?? session.startedAtMs,
        error: readError(trouble.error),
      },
    }),
    ...(publication?.lastError && {
      publication: { ...publication, lastError: readError(publication.lastError) },
    }),
  }
}

/** A chunk as this version knows it. */
export function readChunk(stored: unknown): ChunkRecord | undefined {
  if (stored === undefined) return undefined
  const chunk = stored as StoredChunk
  return {
    retryCount: 0,
    failures: 0,
    ...chunk,
    ...(chunk.lastError && { lastError: readError(chunk.lastError) }),
  }
}

/** A code that this version does not know is a `defect`, in the words that were stored. */
const readError = (error: WireError): WireError =>
  Object.hasOwn(ERRORS, error.code) ? error : { ...error, code: 'defect' }
