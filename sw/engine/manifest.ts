import { manifestRoot, type Manifest, type ManifestChunk } from '../../src/evidence/manifest.ts'
import type { Sha256Hex } from '../../src/protocol/ids.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { ChunkRecord, Publication, SessionRecord } from '../core/record.ts'

/** The chunk's line in the manifest; the chunk must be at the store already. */
export function manifestChunk(chunk: ChunkRecord): ManifestChunk {
  const { state } = chunk
  if (!('uploadedAtMs' in state)) throw new HoldfastError('defect', `Chunk ${chunk.id} is not uploaded yet.`)
  return {
    index: chunk.index,
    cid: state.seal.cid,
    size: chunk.sizeBytes,
    duration: chunk.durationMs,
    plaintextHash: chunk.plaintextHash,
    encryptedHash: state.seal.encryptedHash,
    iv: state.seal.iv,
    capturedAt: chunk.capturedAt,
    uploadedAt: state.uploadedAtMs,
  }
}

/** Merkle root over these chunks, which are in index order. */
export const rootOf = (chunks: readonly ChunkRecord[]): Promise<Sha256Hex> =>
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
  chunks: readonly ChunkRecord[],
): Manifest {
  const groups = session.access.toSorted((a, b) => (a.groupId < b.groupId ? -1 : 1))
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
