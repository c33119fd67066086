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
  const { anchored, endedAtMs, trouble } = session
  const retryAtMs = trouble && (trouble.retryAtMs ?? nextTrialMs(session))
  return {
    id: session.id,
    ending: session.ending,
    upload: uploadOf(session),
    groupIds: session.access.map(({ groupId }) => groupId),
    mimeType: session.mimeType,
    startedAtMs: session.startedAtMs,
    ...(endedAtMs !== undefined && { endedAtMs }),
    ...(session.continues && { continues: session.continues }),
    missing: missingChunks(session),
    paused: session.paused,
    chunks: session.tally,
    parked: session.parked,
    localBytes: session.localBytes,
    progress: progressOf(session, moving),
    ...(anchored && { anchor: anchored }),
    ...(trouble && { lastError: trouble.error }),
    ...(retryAtMs !== undefined && { retryAtMs }),
  }
}

function nextTrialMs({ trials = {} }: SessionRecord): number | undefined {
  const times = Object.values(trials).map(({ retryAtMs }) => retryAtMs)
  return times.length === 0 ? undefined : Math.min(...times)
}

function progressOf(session: SessionRecord, moving: Moving): UploadProgress {
  const { totalBytes } = session
  const storedBytes = Math.min(totalBytes, session.storedBytes + moving.bytesOf(session.id))
  const bytesPerSecond = moving.bytesPerSecond()
  const timeLeftMs = Math.ceil((1_000 * (totalBytes - storedBytes)) / bytesPerSecond)
  return { totalBytes, storedBytes, bytesPerSecond, ...(timeLeftMs < Infinity && { timeLeftMs }) }
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
    storedBytes: 'uploadedAtMs' in state ? chunk.sizeBytes : moving.bytesOf(chunk.id),
    durationMs: chunk.durationMs,
    plaintextHash: chunk.plaintextHash,
    ...('seal' in state && state.seal),
    capturedAtMs: chunk.capturedAt,
    ...('uploadedAtMs' in state && { uploadedAtMs: state.uploadedAtMs }),
    ...('confirmedAtMs' in state && { confirmedAtMs: state.confirmedAtMs }),
    retryCount: chunk.retryCount,
    ...(chunk.lastError && { lastError: chunk.lastError }),
  }
}
