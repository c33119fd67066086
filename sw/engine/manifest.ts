import { manifestRoot, type Manifest, type ManifestChunk } from '../../src/evidence/manifest.ts'
import type { Sha256Hex } from '../../src/protocol/ids.ts'
import type { ChunkRecord, ChunkState, Publication, SessionRecord } from '../core/record.ts'

/** A chunk that the store is proved to have. */
export type VerifiedChunk = ChunkRecord & { readonly state: Extract<ChunkState, { uploadedAtMs: number }> }

/** The chunk's line in the manifest. */
const manifestChunk = ({ state, ...chunk }: VerifiedChunk): ManifestChunk => ({
  index: chunk.index,
  cid: state.seal.cid,
  size: chunk.sizeBytes,
  duration: chunk.durationMs,
  plaintextHash: chunk.plaintextHash,
  encryptedHash: state.seal.encryptedHash,
  iv: state.seal.iv,
  capturedAt: chunk.capturedAt,
  uploadedAt: state.uploadedAtMs,
})

/** Merkle root over these chunks, which are in index order. */
export const rootOf = (chunks: readonly VerifiedChunk[]): Promise<Sha256Hex> =>
  manifestRoot(chunks.map(manifestChunk))

/**
 * The publication's manifest, with its keys in the order of the format. The same records give the same manifest,
 * whenever it is built.
 *
 * @param chunks in index order
 */
export function manifestOf(
  session: SessionRecord,
  publication: Publication,
  uploader: string,
  chunks: readonly VerifiedChunk[],
): Manifest {
  const groups = [...session.access].sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  return {
    version: 1,
    contentId: session.id,
    sessionId: session.id,
    uploader,
    captureStarted: session.startedAtMs,
    lastUpdated: publication.lastUpdatedMs,
    status: publication.ending,
    merkleRoot: publication.merkleRoot,
    encryption: { algorithm: 'aes-256-gcm', keyDerivation: 'hkdf-sha256' },
    accessList: Object.fromEntries(
      groups.map(({ groupId, wrappedKey, iv }) => [groupId, { wrappedKey, iv }]),
    ),
    chunks: chunks.map(manifestChunk),
  }
}
