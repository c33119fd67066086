import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import type { ChunkView, SessionSnapshot, UploadProgress } from '../../src/protocol/snapshot.ts'
import type { ChunkRecord, SessionRecord } from './record.ts'
import { isParked, missingChunks, uploadOf } from './session.ts'

/** What the worker knows of uploads under way. */
export interface Moving {
  /** Bytes of this session's, or this chunk's, uploads under way that the store is known to have. */
  bytesOf(id: SessionId | ChunkId): number
  bytesPerSecond(): number
}

/** The session as a page sees it. */
export function sessionView(session: SessionRecord, moving: Moving): SessionSnapshot {
  const { trouble, paused } = session
  return {
    id: session.id,
    name: session.name,
    ending: session.ending,
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
    paused: paused === true,
    chunks: session.tally,
    parked: session.parked,
    localBytes: session.localBytes,
    progress: progressOf(session, moving),
    anchor: session.anchored,
    lastError:
      paused === 'elsewhere'
        ? { code: 'other-destination', message: `It is bound to ${session.identity}.` }
        : trouble?.error,
    retryAtMs: paused ? undefined : trouble && (trouble.retryAtMs ?? nextTrialMs(session)),
  }
}

function nextTrialMs({ trials = {} }: SessionRecord): number | undefined {
  const times = Object.values(trials).flatMap((trial) => trial?.retryAtMs ?? [])
  return times.length === 0 ? undefined : Math.min(...times)
}

function progressOf(session: SessionRecord, moving: Moving): UploadProgress {
  const { totalBytes, totalMs, storedMs } = session
  const storedBytes = Math.min(totalBytes, session.storedBytes + moving.bytesOf(session.id))
  const bytesPerSecond = moving.bytesPerSecond()
  const timeLeftMs = Math.ceil((1_000 * (totalBytes - storedBytes)) / bytesPerSecond)
  return {
    totalBytes,
    storedBytes,
    totalMs,
    storedMs,
    bytesPerSecond,
    timeLeftMs: timeLeftMs < Infinity ? timeLeftMs : undefined,
  }
}

/** The chunk as a page sees it. */
export function chunkView(chunk: ChunkRecord, moving: Moving): ChunkView {
  const { state } = chunk
  return {
    id: chunk.id,
    sessionId: chunk.sessionId,
    index: chunk.index,
    status: state.status,
    parked: isParked(chunk),
    sizeBytes: chunk.sizeBytes,
    storedBytes: state.uploadedAtMs === undefined ? moving.bytesOf(chunk.id) : chunk.sizeBytes,
    durationMs: chunk.durationMs,
    plaintextHash: chunk.plaintextHash,
    ...state.seal,
    capturedAtMs: chunk.capturedAtMs,
    uploadedAtMs: state.uploadedAtMs,
    confirmedAtMs: state.confirmedAtMs,
    retryCount: chunk.retryCount,
    lastError: chunk.lastError,
  }
}
