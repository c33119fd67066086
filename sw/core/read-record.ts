import type { ChunkRecord, SessionRecord } from './record.ts'
import { BEGINNING } from './session.ts'

// Records that another version of this code wrote: older ones lack what has come since. Whatever is read from the disk
// passes through here, so that nothing else has to ask. An error code that is not known any more is a refusal, and is
// told in its own words.

/** What an older version did not write. */
type Stored<T, Lacking extends keyof T> = Omit<T, Lacking> & Partial<Pick<T, Lacking>>

/** A session as this version knows it: what it lacks is as at its beginning, so that it is asked for again, and holds no other up. */
export const readSession = (stored: Stored<SessionRecord, keyof typeof BEGINNING>): SessionRecord => ({
  ...BEGINNING,
  ...stored,
  tally: { ...BEGINNING.tally, ...stored.tally },
})

/** A chunk as this version knows it. */
export const readChunk = (stored: Stored<ChunkRecord, 'retryCount'>): ChunkRecord => ({
  retryCount: 0,
  ...stored,
})
