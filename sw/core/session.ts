import type { SessionStart } from '../../src/protocol/messages.ts'
import { CHUNK_STATUSES, type ChunkStatus, type SessionUpload } from '../../src/protocol/snapshot.ts'
import { PENDING_STATUSES, waitOf } from './chunk-machine.ts'
import type { ChunkRecord, DueKey, SessionRecord } from './record.ts'

/** Every status of this version, also one that is not counted yet. */
export const fullTally = (tally: Partial<Record<ChunkStatus, number>> = {}) =>
  Object.fromEntries(CHUNK_STATUSES.map((status) => [status, tally[status] ?? 0])) as Record<
    ChunkStatus,
    number
  >

/** A recording that has just begun. */
export function newSession(start: SessionStart): SessionRecord {
  return {
    id: start.sessionId,
    mimeType: start.mimeType,
    startedAtMs: start.startedAtMs,
    access: start.access,
    sealedBy: start.sealKey === undefined ? 'page' : 'worker',
    stores: start.stores,
    atLeast: start.atLeast,
    continues: start.continues,
    ending: 'recording',
    paused: false,
    tally: fullTally(),
    parked: 0,
    localBytes: 0,
    totalBytes: 0,
    storedBytes: 0,
    open: start.startedAtMs,
  }
}

/** Chunks that no store has verified yet; `parked` ones are among them. */
export const pendingChunks = (session: SessionRecord) =>
  PENDING_STATUSES.reduce((sum, status) => sum + session.tally[status], 0)

export const totalChunks = (session: SessionRecord) =>
  Object.values(session.tally).reduce((sum, count) => sum + count, 0)

/** Chunks that the page cut and we never got, as far as it has told. */
export const missingChunks = (session: SessionRecord, indexes = session.indexes ?? 0) =>
  Math.max(0, indexes - totalChunks(session))

/** True when the recording has ended and the chain holds all of it, under its final manifest. */
export function isSettled(session: SessionRecord): boolean {
  if (session.ending === 'recording' || session.publication !== undefined) return false
  const total = totalChunks(session)
  if (total !== session.tally.confirmed) return false
  return total === 0 || session.anchored?.ending === session.ending
}

/** How far the session is on its way to the chain. */
export function uploadOf(session: SessionRecord): SessionUpload {
  if (isSettled(session)) return 'confirmed'
  return pendingChunks(session) > 0 ? 'uploading' : 'publishing'
}

/** The session with its `open` mark in step with the rest; every change of a session goes through this. */
export function withOpenMarker(session: SessionRecord): SessionRecord {
  const { open: _stale, ...rest } = session
  return isSettled(session) ? rest : { ...rest, open: session.startedAtMs }
}

/** True for a chunk that waits for a person, or for a trial. */
export const isParked = (chunk: ChunkRecord) => waitOf(chunk.state)?.kind === 'parked'
const isStored = (chunk: ChunkRecord) => waitOf(chunk.state) === undefined
const hasLocalBytes = (chunk: ChunkRecord) => chunk.state.status !== 'confirmed'

/** The session after one of its chunks was added (no `before`), changed, or removed (no `after`). */
export function recount(
  session: SessionRecord,
  before: ChunkRecord | undefined,
  after: ChunkRecord | undefined,
): SessionRecord {
  const { unpublishedSinceMs: sinceMs, ...rest } = session
  const tally = { ...session.tally }
  let { parked, localBytes, totalBytes, storedBytes } = session
  for (const [chunk, sign] of [
    [before, -1],
    [after, 1],
  ] as const) {
    if (chunk === undefined) continue
    tally[chunk.state.status] += sign
    if (isParked(chunk)) parked += sign
    const bytes = sign * chunk.sizeBytes
    totalBytes += bytes
    if (hasLocalBytes(chunk)) localBytes += bytes
    if (isStored(chunk)) storedBytes += bytes
  }
  const verifiedAtMs = after?.state.status === 'uploaded' ? after.state.uploadedAtMs : undefined
  const unpublishedSinceMs = tally.uploaded === 0 ? undefined : (sinceMs ?? verifiedAtMs)
  return withOpenMarker({
    ...rest,
    tally,
    parked,
    localBytes,
    totalBytes,
    storedBytes,
    ...(unpublishedSinceMs !== undefined && { unpublishedSinceMs }),
  })
}

/** The time of raw chunks in the queue: before all others, since sealing needs no network. */
export const SEAL_FIRST = -1

/** Where the chunk stands in the queue of its lanes; undefined where it does not wait there. */
export function dueKey(chunk: ChunkRecord, session: SessionRecord): DueKey | undefined {
  const wait = waitOf(chunk.state)
  if (session.paused || wait === undefined || wait.kind === 'parked') return undefined
  const first = wait.notBeforeMs === 0 && chunk.state.status !== 'uploading'
  return [first ? SEAL_FIRST : wait.notBeforeMs, session.startedAtMs, chunk.index]
}

/** The chunk with its place in the queue in step with its state. */
export function placeInQueue(chunk: ChunkRecord, session: SessionRecord): ChunkRecord {
  const { due: _stale, ...rest } = chunk
  const due = dueKey(chunk, session)
  return due === undefined ? rest : { ...rest, due }
}
