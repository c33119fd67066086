import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import type { SessionEnding } from '../../src/protocol/snapshot.ts'
import { entryOf } from './entry-of.ts'
import type { ChunkRecord, HeadRecord, LogEntry, Logged, SessionRecord } from './record.ts'
import type { Now } from './retry-policy.ts'
import {
  endingOf,
  isEmpty,
  isInPlace,
  rawChunks,
  recount,
  signingKeyName,
  withMarks,
  withOpenMarker,
} from './session.ts'

/** What must happen in the same transaction, beside storing the records: calls of the store. */
export type SessionEffect =
  | readonly [call: 'putPayload', id: ChunkId, bytes: ArrayBuffer]
  | readonly [call: 'deletePayload', id: ChunkId]
  | readonly [call: 'putEntry', id: SessionId, position: number, entry: Uint8Array<ArrayBuffer>]
  | readonly [call: 'putHead', head: HeadRecord]
  | readonly [call: 'deleteMeta', name: string]
  | readonly [call: 'addLog', lines: readonly LogEntry[]]
  | readonly [call: 'deleteSession', id: SessionId]

export interface SessionTransition {
  readonly session: SessionRecord
  /** Those that changed. */
  readonly chunks: readonly ChunkRecord[]
  readonly effects: readonly SessionEffect[]
}

/** A session on its way from one record to the next. */
export interface Draft {
  readonly now: Now
  session: SessionRecord
  /** Changes these fields of the session. */
  set(fields: Partial<SessionRecord>): void
  /** Those that were given, as they are by now. */
  readonly chunks: readonly ChunkRecord[]
  /** Replaces a chunk, with its place in the queue and its share of the tally. */
  put(after: ChunkRecord, before?: ChunkRecord): void
  /** Each chunk gets its place in the queue, or loses it; those that keep it are not written. */
  requeue(): void
  /** Adds to the log; what it says becomes durable with this transition. */
  append(of: Logged): void
  effect(effect: SessionEffect): void
  /** Adds a line to the custody log. */
  log(event: string, more?: Pick<LogEntry, 'index' | 'from' | 'to' | 'error'>): void
  /** @returns undefined where nothing has changed */
  done(): SessionTransition | undefined
}

export function createDraft(before: SessionRecord, given: readonly ChunkRecord[], now: Now): Draft {
  const changed = new Map<ChunkId, ChunkRecord>()
  const effects: SessionEffect[] = []
  const lines: LogEntry[] = []
  const draft: Draft = {
    now,
    session: before,
    set(fields) {
      draft.session = { ...draft.session, ...fields }
    },
    get chunks() {
      return given.map((chunk) => changed.get(chunk.id) ?? chunk)
    },
    put(after, replaced) {
      changed.set(after.id, after)
      draft.session = recount(draft.session, replaced, after)
    },
    requeue() {
      for (const chunk of draft.chunks) if (!isInPlace(chunk, draft.session)) changed.set(chunk.id, chunk)
    },
    append(of) {
      const { size } = draft.session
      effects.push(['putEntry', before.id, size, entryOf(draft.session, of)])
      draft.set({ size: size + 1, logEnd: undefined, metadata: undefined })
    },
    effect: (effect) => void effects.push(effect),
    log: (event, more) => void lines.push({ atMs: now.nowMs, sessionId: before.id, event, ...more }),
    done() {
      if (draft.session === before && effects.length === 0) return undefined
      appendEnd(draft)
      if (lines.length > 0) effects.push(['addLog', lines])
      draft.set({ changedAtMs: Math.max(draft.session.changedAtMs || 0, now.nowMs) })
      const session = withOpenMarker(draft.session)
      return {
        session,
        chunks: [...changed.values()].map((chunk) => withMarks(chunk, session)),
        effects,
      }
    },
  }
  return draft
}

/**
 * Writes down how the recording ended, once everything that it has is in the log. What is to be sealed and is parked
 * holds no end up: the log says `interrupted` then, and goes on if it is sealed after all.
 *
 * @param isNews more is known of the end than the log says, though that says one of this kind
 */
export function appendEnd(draft: Draft, isNews = false): void {
  const { ending, logEnd, size, parkedRaw } = draft.session
  const raw = rawChunks(draft.session)
  const how = (raw > 0 ? 'interrupted' : endingOf(draft.session)) as Exclude<SessionEnding, 'recording'>
  // Nothing follows a complete end.
  const isSaid = logEnd === 'complete' || (logEnd === how && !isNews)
  if (ending === 'recording' || isSaid || raw > parkedRaw || size === 0) return
  draft.append(how)
  draft.set({ logEnd: how })
  // An empty recording is not listed, so that no head is signed.
  if (ending === 'complete' && isEmpty(draft.session)) forgetKey(draft)
}

/** Nothing is left to sign. */
export const forgetKey = (draft: Draft) => draft.effect(['deleteMeta', signingKeyName(draft.session.id)])
