import { NEW_EFFORT } from './effort.ts'
import { isLike } from './like.ts'
import type { ChunkRecord, ChunkState, SessionRecord } from './record.ts'
import { BEGINNING, EMPTY_TALLY } from './session.ts'

// Records that another version of this code wrote, or that were damaged: they lack something, or have something else in its
// place. Whatever is read from the disk passes through here, so that nothing else has to ask. An error code that is not
// known any more is a refusal, and is told in its own words.

/** At once: for what an older version parked, which knew no trials. */
const DUE = { failures: 1, retryAtMs: 0, setAtMs: 0 }

/** Sessions are looked at together, and told together: what of one that is anything else would stop that for all. */
const SESSION = {
  ...BEGINNING,
  tally: {},
  paused: undefined,
  name: '',
  access: [],
  startedAtMs: 0,
  listing: { ...NEW_EFFORT, frame: { from: 0 }, tree: { size: 0 } },
  expired: [],
  anchored: { size: 0 },
  completion: NEW_EFFORT,
  paging: NEW_EFFORT,
  trouble: { error: { code: '' }, sinceMs: 0 },
  trials: {},
  indexes: 0,
  lost: 0,
}

/**
 * A session as this version knows it: what it lacks is as at its beginning, so that it is asked for again, and holds no
 * other up. One that lacks what every version has written, and nothing else here can tell, is set apart; so is one that
 * has anything else in the place of something.
 */
export function readSession(stored: Partial<SessionRecord>): SessionRecord {
  const { name, access, tally, size, startedAtMs, paused } = stored
  const session: Record<string, unknown> = {
    ...BEGINNING,
    trials: { 'sign-in': DUE, refusal: DUE },
    ...stored,
    paused: paused === 'elsewhere' ? paused : !!paused,
  }
  let isDamaged = stored.damaged || [name, access, tally, size, startedAtMs].includes(undefined)
  for (const [field, sample] of Object.entries(SESSION)) {
    const isThere = session[field] !== undefined
    if (isThere && isLike(session[field], sample)) continue
    isDamaged ||= isThere
    session[field] = BEGINNING[field as keyof typeof BEGINNING]
  }
  session['access'] ??= []
  session['tally'] = { ...EMPTY_TALLY, ...(session['tally'] as object) }
  return { ...session, ...(isDamaged && { damaged: true, paused: true }) } as SessionRecord
}

/** What a chunk cannot be brought anywhere without, */
const CHUNK = { sizeBytes: 0, durationMs: 0, state: { status: '' } }
/** and in the place of that. */
const LOST = {
  sizeBytes: 0,
  durationMs: 0,
  state: { status: 'captured' },
  effort: { ...NEW_EFFORT, notBeforeMs: Infinity },
  damaged: true,
} as const

/** What a chunk of an older version has in place of an effort. */
interface Older {
  readonly wait?: { readonly kind: string }
}

/**
 * A chunk as this version knows it: what is not proved yet is tried, and how far its listing is follows from its session.
 * One that has something else in the place of what it needs counts as lost.
 */
export function readChunk(stored: Partial<ChunkRecord>): ChunkRecord {
  const { id, retryCount, effort: tried } = stored as ChunkRecord
  const [sessionId, index] = id.split('/')
  const chunk = {
    ...stored,
    sessionId,
    index: Number(index),
    retryCount: Number(retryCount) || 0,
    effort: isLike(tried, NEW_EFFORT) ? tried : undefined,
  } as ChunkRecord
  if (chunk.damaged || !isLike(chunk, CHUNK) || !isLike(chunk.position ?? 0, 0)) {
    return { ...chunk, ...LOST }
  }
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
