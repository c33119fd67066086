import { NEW_EFFORT } from './effort.ts'
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

/** A chunk as this version knows it: what is not proved yet is tried, and how far its listing is follows from its session. */
export function readChunk(stored: Stored<ChunkRecord, 'retryCount'>): ChunkRecord {
  const chunk = { retryCount: 0, ...stored }
  const { state } = chunk
  if (state.uploadedAtMs === undefined) return { ...chunk, effort: chunk.effort ?? NEW_EFFORT }
  return state.status === 'confirmed' ? chunk : { ...chunk, state: { ...state, status: 'uploaded' } }
}
