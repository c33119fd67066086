import type { ChunkRecord, SessionRecord } from './record.ts'
import { EMPTY_TALLY, NO_SUMS } from './session.ts'

// Records that another version of this code wrote: older ones lack what has come since. Whatever is read from the disk
// passes through here, so that nothing else has to ask. An error code that is not known any more is a refusal, and is
// told in its own words.

/** What an older version did not write. */
type Stored<T, Lacking extends keyof T> = Omit<T, Lacking> & Partial<Pick<T, Lacking>>

/** A session as this version knows it. */
export const readSession = (
  stored: Stored<SessionRecord, 'tally' | keyof typeof NO_SUMS>,
): SessionRecord => ({
  ...NO_SUMS,
  ...stored,
  tally: { ...EMPTY_TALLY, ...stored.tally },
})

/** A chunk as this version knows it. */
export const readChunk = (stored: Stored<ChunkRecord, 'retryCount'>): ChunkRecord => ({
  retryCount: 0,
  ...stored,
})
