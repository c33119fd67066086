import type { ChunkView, SessionSnapshot } from '../../src/protocol/snapshot.ts'
import { waitOf } from './machine.ts'
import type { ChunkRecord, SessionRecord } from './record.ts'
import { isSettled, statusOf } from './session.ts'

/** The session as a page sees it. */
export function sessionView(session: SessionRecord): SessionSnapshot {
  const { anchored, trouble } = session
  const retryAtMs = trouble && (trouble.retryAtMs ?? session.signIn?.retryAtMs)
  return {
    id: session.id,
    status: statusOf(session),
    groupIds: session.access.map(({ groupId }) => groupId),
    mimeType: session.mimeType,
    startedAtMs: session.startedAtMs,
    ...(session.endedAtMs !== undefined && { endedAtMs: session.endedAtMs }),
    settled: isSettled(session),
    paused: session.paused,
    chunks: session.tally,
    parked: session.parked,
    heldBytes: session.heldBytes,
    ...(anchored && { anchor: anchored }),
    ...(trouble && { lastError: trouble.error }),
    ...(retryAtMs !== undefined && { retryAtMs }),
  }
}

/** The chunk as a page sees it. */
export function chunkView(chunk: ChunkRecord): ChunkView {
  const { state } = chunk
  return {
    id: chunk.id,
    sessionId: chunk.sessionId,
    index: chunk.index,
    status: state.status,
    parked: waitOf(state)?.kind === 'parked',
    sizeBytes: chunk.sizeBytes,
    durationMs: chunk.durationMs,
    plaintextHash: chunk.plaintextHash,
    ...('seal' in state && state.seal),
    capturedAt: chunk.capturedAt,
    ...('uploadedAtMs' in state && { uploadedAt: state.uploadedAtMs }),
    ...('confirmedAtMs' in state && { confirmedAt: state.confirmedAtMs }),
    retryCount: chunk.retryCount,
    ...(chunk.lastError && { lastError: chunk.lastError }),
  }
}
