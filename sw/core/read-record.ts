import { NEW_EFFORT } from './effort.ts'
import type { ChunkRecord, ChunkState, SessionRecord } from './record.ts'
import { stepsDueMs } from './plan.ts'
import { BEGINNING, totalChunks } from './session.ts'

// Records that another version of this code wrote, or that were damaged: they lack something. Whatever is read from the
// disk passes through here, so that nothing else has to ask. An error code that is not known any more is a refusal, and is
// told in its own words.

/**
 * A session as this version knows it: what it lacks is as at its beginning, so that it is asked for again, and holds no
 * other up. One that lacks what every version has written, and nothing else here can tell, is set apart; so is one at which
 * each look would break, for all others too.
 */
export function readSession(stored: Partial<SessionRecord>): SessionRecord {
  const { id, open, startedAtMs, size, tally, expired } = stored
  const session = {
    ...BEGINNING,
    ...stored,
    size,
    // One of nothing would be listed again for ever.
    expired: expired?.[0] && expired,
    tally: { ...BEGINNING.tally, ...tally },
  } as SessionRecord
  try {
    if (session.damaged || (tally && isSound(session))) return session
  } catch {
    // It is told as damaged.
  }
  const apart: Partial<SessionRecord> = {
    ...BEGINNING,
    id: id!,
    open,
    startedAtMs: +startedAtMs! || 0,
    access: [],
    ending: 'interrupted',
    damaged: true,
    paused: true,
  }
  return apart as SessionRecord
}

/** Whether a look can be taken at it, and a page's question answered: both would break at what is no such number. */
function isSound(session: SessionRecord): boolean {
  const { name, access, size, startedAtMs, listed, listing = listed, witnessing, trouble } = session
  const numbers: unknown[] = [
    size,
    startedAtMs,
    listed.tree.size,
    listing.tree.size,
    witnessing.notBeforeMs,
    name.length,
    totalChunks(session),
    ...Object.values(stepsDueMs(session)),
    ...access.map(({ id }) => id.length),
    trouble && !trouble.error ? NaN : 0,
  ]
  return numbers.every((found) => typeof found === 'number' && found >= 0)
}

/** A chunk as this version knows it: what is not proved yet is tried, and how far its listing is follows from its session. */
export function readChunk(stored: Partial<ChunkRecord>): ChunkRecord {
  const chunk = {
    retryCount: 0,
    ...stored,
    // As its key has it, by which it was found.
    sessionId: stored.id?.split('/')[0],
    state: { status: 'captured', ...stored.state },
  } as ChunkRecord
  const { state, effort } = chunk
  const { seal, status } = state
  if (state.uploadedAtMs === undefined)
    return {
      ...chunk,
      // Whatever a later version calls it: it is sealed, and not proved to be stored.
      state: { ...state, status: seal ? 'uploading' : status } as ChunkState,
      effort: effort ?? NEW_EFFORT,
    }
  return state.status === 'confirmed' ? chunk : { ...chunk, state: { ...state, status: 'uploaded' } }
}
