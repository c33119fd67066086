import type { Group } from '../api.ts'
import type { SessionId } from '../protocol/ids.ts'
import { openSession } from '../verify/index.ts'
import { endpoints } from './endpoints.ts'

/** How far a verification is, in chunks. */
export type OnChunk = (opened: number, total: number) => void

export interface ReadOptions {
  readonly sessionId: SessionId
  readonly group: Group
  readonly mimeType: string
  readonly signal: AbortSignal
  /** Told once the anchor and the manifest are checked, then after each chunk. */
  readonly onChunk: OnChunk
}

/**
 * Reads a recording back from the chain and the store, checking every step, and joins its chunks.
 *
 * @throws VerificationError naming the check that failed
 */
export async function readSession({
  sessionId,
  group,
  mimeType,
  signal,
  onChunk,
}: ReadOptions): Promise<Blob> {
  const { rpcUrl, registry, gateway } = endpoints()
  const session = await openSession({
    chain: { rpcUrl, registry },
    gateway,
    sessionId,
    groupSecret: group.secret,
    signal,
  })
  const total = session.manifest.chunks.length
  const parts: BlobPart[] = []
  onChunk(0, total)
  for await (const { plaintext } of session.chunks()) {
    parts.push(plaintext)
    onChunk(parts.length, total)
  }
  return new Blob(parts, { type: mimeType })
}
