import { NEW_EFFORT } from './effort.ts'
import type { ChunkRecord, ChunkState, SessionRecord } from './record.ts'
import { BEGINNING } from './session.ts'

// Records that another version of this code wrote, or that were damaged: they lack something. Whatever is read from the
// disk passes through here, so that nothing else has to ask. An error code that is not known any more is a refusal, and is
// told in its own words.

/** At once: for what an older version parked, which knew no trials. */
const DUE = { failures: 1, retryAtMs: 0, setAtMs: 0 }

/**
 * A session as this version knows it: what it lacks is as at its beginning, so that it is asked for again, and holds no
 * other up. One that lacks what every version has written, and nothing else here can tell, is set apart.
 */
export function readSession(stored: Partial<SessionRecord>): SessionRecord {
  const { name, access, tally, size, startedAtMs } = stored
  const session = {
    ...BEGINNING,
    trials: { 'sign-in': DUE, refusal: DUE },
    ...stored,
    access: access ?? [],
    tally: { ...BEGINNING.tally, ...tally },
  } as SessionRecord
  const isDamaged = session.damaged || [name, access, tally, size, startedAtMs].includes(undefined)
  return isDamaged ? { ...session, damaged: true, paused: true } : session
}

/** What a chunk of an older version has in place of an effort. */
interface Older {
  readonly wait?: { readonly kind: string }
}

/** A chunk as this version knows it: what is not proved yet is tried, and how far its listing is follows from its session. */
export function readChunk(stored: Partial<ChunkRecord>): ChunkRecord {
  const chunk = { retryCount: 0, state: { status: 'captured' }, ...stored } as ChunkRecord
  const { state, effort } = chunk
  const { seal, status } = state
  const notBeforeMs = (state as Older).wait?.kind === 'parked' ? Infinity : 0
  if (state.uploadedAtMs === undefined)
    return {
      ...chunk,
      // Whatever a later version calls it: it is sealed, and not proved to be stored.
      state: { ...state, status: seal ? 'uploading' : status } as ChunkState,
      effort: effort ?? { ...NEW_EFFORT, notBeforeMs },
    }
  return state.status === 'confirmed' ? chunk : { ...chunk, state: { ...state, status: 'uploaded' } }
}
