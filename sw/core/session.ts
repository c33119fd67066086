import type { SessionId, SessionName } from '../../src/protocol/ids.ts'
import type { SessionStart } from '../../src/protocol/messages.ts'
import type { ChunkStatus, SessionEnding, SessionUpload } from '../../src/protocol/snapshot.ts'
import { isParked } from './effort.ts'
import { MAX_FORGOTTEN, SEAL_FIRST, SETTLED_KEPT } from './limits.ts'
import type { ChunkRecord, DueKey, SessionRecord } from './record.ts'
import { NOT_WITNESSED } from './witnessing.ts'

/** Every status of this version, none counted. */
export const EMPTY_TALLY: Readonly<Record<ChunkStatus, number>> = {
  captured: 0,
  hashing: 0,
  encrypting: 0,
  uploading: 0,
  uploaded: 0,
  manifesting: 0,
  anchoring: 0,
  confirmed: 0,
}

/** A recording that has just begun. Its log's first entry comes with it. */
export function newSession(start: SessionStart, name: SessionName, identity?: string): SessionRecord {
  const { sessionId: id, seal: sealedBy, signingKey: _apart, ...chosen } = start
  return {
    ...chosen,
    id,
    name,
    sealedBy,
    identity,
    ...BEGINNING,
    open: start.startedAtMs,
  }
}

/** Where the key that signs a session's heads is kept until its last one is signed. */
export const signingKeyName = (id: SessionId) => `signing-key:${id}`

/** Chunks that no store has verified yet; `parked` ones are among them. */
export const pendingChunks = (session: SessionRecord) => rawChunks(session) + session.tally.uploading

export const totalChunks = (session: SessionRecord) =>
  Object.values(session.tally).reduce((sum, count) => sum + count, 0)

/** Whether nothing was ever recorded: such a log is neither listed nor witnessed. */
export const isEmpty = (session: SessionRecord) => session.notes + totalChunks(session) === 0

/** Chunks that the page cut and we do not have: as far as it has told, we never got them; or their records were lost. */
export const missingChunks = (session: SessionRecord, indexes = session.indexes ?? 0) =>
  Math.max(0, session.lost ?? 0, indexes - totalChunks(session))

/** How the recording ended: one of which a chunk was lost after its page had told that it is whole is not. */
export const endingOf = (session: SessionRecord): SessionEnding =>
  session.ending === 'complete' && missingChunks(session) > 0 ? 'interrupted' : session.ending

/** True when the recording has ended, the chain holds its whole log, and no page is to be asked for again. */
export function isSettled(session: SessionRecord): boolean {
  const { ending, size, logEnd, anchored, tally, expired, damaged } = session
  if (ending === 'recording' || damaged) return false
  if (totalChunks(session) !== tally.confirmed) return false
  // Nothing follows a complete end, whatever is lost after it.
  const isSaid = logEnd === 'complete' || logEnd === endingOf(session)
  return isEmpty(session) || (isSaid && anchored?.size === size && !expired)
}

/**
 * The settled sessions, of which nobody is yet to be told, that are to be forgotten now: the oldest of those that are too
 * many, of all, newest first.
 */
export const outlived = (sessions: readonly SessionRecord[]): SessionRecord[] =>
  sessions
    .filter(({ open }) => open === undefined)
    .slice(SETTLED_KEPT)
    .slice(-MAX_FORGOTTEN)

/** Whether the app does not know yet that all of this is settled, or that more has come since. */
export const isToTell = ({ completion, size }: SessionRecord) => !!completion && completion.told !== size

/**
 * Where a chunk is: one that its store was proved to have is as far as its entry; where the place of that is lost, as far
 * as the last one.
 */
export function statusOf(
  { state: { status }, position }: ChunkRecord,
  { listed, listing, size }: SessionRecord,
): ChunkStatus {
  if (status !== 'uploaded') return status
  const at = position ?? size - 1
  if (at < listed.tree.size) return 'anchoring'
  return listing && at < listing.tree.size ? 'manifesting' : status
}

/** Chunks that are to be sealed here. */
export const rawChunks = ({ tally }: SessionRecord) => tally.captured + tally.hashing + tally.encrypting

/** How far the session is on its way to the chain. */
export function uploadOf(session: SessionRecord): SessionUpload {
  if (isSettled(session)) return 'confirmed'
  return pendingChunks(session) > 0 ? 'uploading' : 'publishing'
}

/** Whether something is left to do. */
export const isOpen = (session: SessionRecord) => !isSettled(session) || isToTell(session)

/** The session with its `open` mark in step with the rest; every change of a session goes through this. */
export const withOpenMarker = (session: SessionRecord): SessionRecord => ({
  ...session,
  open: isOpen(session) ? session.startedAtMs : undefined,
})

/** What is summed of a session's chunks: none. */
export const NO_SUMS = {
  parked: 0,
  parkedRaw: 0,
  localBytes: 0,
  totalBytes: 0,
  storedBytes: 0,
  totalMs: 0,
  storedMs: 0,
}

/** What a chunk adds to these sums. */
function shareOf({ state, effort, sizeBytes, durationMs }: ChunkRecord): typeof NO_SUMS {
  const parked = isParked(effort) ? 1 : 0
  return {
    parked,
    parkedRaw: state.seal ? 0 : parked,
    localBytes: state.status === 'confirmed' ? 0 : sizeBytes,
    totalBytes: sizeBytes,
    storedBytes: effort ? 0 : sizeBytes,
    totalMs: durationMs,
    storedMs: effort ? 0 : durationMs,
  }
}

/** What every session begins with. */
export const BEGINNING = {
  ending: 'recording',
  paused: false,
  tally: EMPTY_TALLY,
  ...NO_SUMS,
  size: 0,
  notes: 0,
  listed: { tree: { size: 0, frontier: [] }, pages: { number: 0, digests: [] } },
  witnessing: NOT_WITNESSED,
} as const satisfies Partial<SessionRecord>

/** The session after one of its chunks was added (no `before`), or changed. */
export function recount(
  session: SessionRecord,
  before: ChunkRecord | undefined,
  after: ChunkRecord,
): SessionRecord {
  const tally = { ...session.tally }
  const counted = { ...session, tally }
  const count = (chunk: ChunkRecord, sign: 1 | -1) => {
    tally[statusOf(chunk, session)] += sign
    for (const [name, share] of Object.entries(shareOf(chunk)) as [keyof typeof NO_SUMS, number][])
      counted[name] += sign * share
  }
  if (before) count(before, -1)
  count(after, 1)
  return counted
}

/** From a place in the queue to another, each a `DueKey` or the beginning of one. */
export type QueueRange = readonly [from: readonly number[], to: readonly number[]]

/** The parts of the queue: what is to be sealed, and what is to be sent. */
export const TO_SEAL: QueueRange = [[SEAL_FIRST], [0]]
export const TO_SEND: QueueRange = [[0], [Infinity]]

/** What of a session says whether its chunks wait for a lane, and where. */
export type Queued = Pick<SessionRecord, 'paused' | 'heldBack' | 'startedAtMs'>

/** Where the chunk stands in the queue of its lanes; undefined where it does not wait there. */
export function dueKey(chunk: ChunkRecord, session: Queued): DueKey | undefined {
  const { effort } = chunk
  if (session.paused || !effort || isParked(effort)) return undefined
  if (session.heldBack && chunk.state.seal && !effort.onTrial) return undefined
  // Of sessions of one millisecond each has a place of its own, by its id.
  const ofSession = session.startedAtMs + parseInt(chunk.sessionId.slice(-3), 16) / 4_096
  const place = [effort.notBeforeMs, ofSession, chunk.index] as const
  return chunk.state.status === 'uploading' ? place : [SEAL_FIRST, ...place]
}

/** Whether the chunk has the place in the queue that it should have, or none. */
export const isInPlace = (chunk: ChunkRecord, session: Queued) =>
  String(dueKey(chunk, session)) === String(chunk.due)

/** When the chunk is due by its place in the queue, ms since the epoch; never where it has none. */
export const dueAtMs = (chunk: ChunkRecord | undefined): number => chunk?.due?.at(-3) ?? Infinity

/** The chunk with its marks, by which the store finds it, in step with its state. */
export function withMarks(chunk: ChunkRecord, session: SessionRecord): ChunkRecord {
  const { position, state } = chunk
  const isProved = state.status === 'uploaded' && position !== undefined
  return {
    ...chunk,
    due: dueKey(chunk, session),
    proved: isProved ? [session.id, position] : undefined,
  }
}
