import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import type { ChunkView, SessionSnapshot, UploadProgress } from '../../src/protocol/snapshot.ts'
import { isParked } from './effort.ts'
import type { ChunkRecord, SessionRecord } from './record.ts'
import { endingOf, missingChunks, statusOf, uploadOf } from './session.ts'

/** What the worker knows of uploads under way. */
export interface Moving {
  /** Bytes of this session's, or this chunk's, uploads under way that the store is known to have. */
  bytesOf(id: SessionId | ChunkId): number
  bytesPerSecond(): number
}

/** The session as a page sees it. */
export function sessionView(session: SessionRecord, moving: Moving): SessionSnapshot {
  const { trouble, paused, damaged } = session
  return {
    id: session.id,
    name: session.name,
    ending: endingOf(session),
    upload: uploadOf(session),
    groupIds: session.access.map(({ id }) => id),
    mimeType: session.mimeType,
    sealingKey: session.sealingKey,
    labels: session.labels,
    fingerprint: session.fingerprint,
    startedAtMs: session.startedAtMs,
    endedAtMs: session.endedAtMs,
    continues: session.continues,
    missing: missingChunks(session),
    paused: !!paused && paused !== 'elsewhere',
    chunks: session.tally,
    parked: session.parked,
    localBytes: session.localBytes,
    progress: progressOf(session, moving),
    anchor: session.anchored,
    lastError: damaged
      ? { code: 'defect', message: 'Its record is damaged.' }
      : paused === 'elsewhere'
        ? { code: 'other-destination', message: `It is bound to ${session.identity}.` }
        : trouble?.error,
    failingSinceMs: trouble?.sinceMs,
    retryAtMs: paused ? undefined : trouble && (trouble.retryAtMs ?? nextTrialMs(session)),
  }
}

const nextTrialMs = ({ trials = {} }: SessionRecord): number | undefined =>
  finite(Math.min(...Object.values(trials).map((trial) => trial?.retryAtMs ?? Infinity)))

const finite = (value: number): number | undefined => (value < Infinity ? value : undefined)

function progressOf(session: SessionRecord, moving: Moving): UploadProgress {
  const { totalBytes, totalMs, storedMs } = session
  const storedBytes = Math.min(totalBytes, session.storedBytes + moving.bytesOf(session.id))
  const bytesPerSecond = moving.bytesPerSecond()
  return {
    totalBytes,
    storedBytes,
    totalMs,
    storedMs,
    bytesPerSecond,
    timeLeftMs: finite(Math.ceil((1_000 * (totalBytes - storedBytes)) / bytesPerSecond)),
  }
}

/** The chunk as a page sees it. */
export function chunkView(chunk: ChunkRecord, session: SessionRecord, moving: Moving): ChunkView {
  // Bookkeeping stays here.
  const { state, effort, due: _due, proved: _proved, position: _place, ...told } = chunk
  const { seal, uploadedAtMs, confirmedAtMs } = state
  return {
    ...told,
    ...seal,
    status: statusOf(chunk, session),
    uploadedAtMs,
    confirmedAtMs,
    lastError: effort?.lastError,
    parked: isParked(effort),
    storedBytes: effort ? moving.bytesOf(chunk.id) : chunk.sizeBytes,
  }
}
