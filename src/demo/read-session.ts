import type { Group } from '../api.ts'
import type { SessionId } from '../protocol/ids.ts'
import { openSession, type VerificationProgress } from '../verify/index.ts'
import { endpoints } from './endpoints.ts'

export interface ReadOptions {
  readonly sessionId: SessionId
  readonly group: Group
  readonly mimeType: string
  readonly signal: AbortSignal
  readonly onProgress: (progress: VerificationProgress) => void
}

/** A recording that was read back and held every check. */
export interface ReadSession {
  readonly recording: Blob
  /** Chunks that never reached the anchor: the recording jumps there. */
  readonly missingIndexes: readonly number[]
}

/**
 * Reads a recording back from the chain and the store, checking every step, and joins its chunks.
 *
 * @throws VerificationError naming the check that failed
 */
export async function readSession(options: ReadOptions): Promise<ReadSession> {
  const { sessionId, group, mimeType, signal, onProgress } = options
  const { rpcUrl, registry, gateway } = endpoints()
  const session = await openSession({
    chain: { rpcUrl, registry },
    gateway,
    sessionId,
    groupSecret: group.secret,
    signal,
    onProgress,
  })
  const parts: BlobPart[] = []
  for await (const { plaintext } of session.chunks()) parts.push(plaintext)
  return { recording: new Blob(parts, { type: mimeType }), missingIndexes: session.missingIndexes }
}
