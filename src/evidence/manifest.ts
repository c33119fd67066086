import type { Cid, SessionId, Sha256Hex } from '../protocol/ids.ts'
import type { WrappedSessionKey } from './keys.ts'
import { leafHash, merkleRoot } from './merkle.ts'

/** One verified chunk, as the manifest lists it. */
export interface ManifestChunk {
  /** In [0, 2^32); a gap between two chunks is a chunk that never arrived. */
  readonly index: number
  readonly cid: Cid
  /** Bytes of the ciphertext. */
  readonly size: number
  /** Length of the recording in ms. */
  readonly duration: number
  readonly plaintextHash: Sha256Hex
  readonly encryptedHash: Sha256Hex
  /** Base64 of 12 bytes. */
  readonly iv: string
  /** Whole ms since the epoch. */
  readonly capturedAt: number
  /** Whole ms since the epoch. */
  readonly uploadedAt: number
}

export const MANIFEST_STATUSES = ['recording', 'complete', 'interrupted'] as const
export type ManifestStatus = (typeof MANIFEST_STATUSES)[number]

/** A session's table of contents, version 1: what the anchored content address leads to. */
export interface Manifest {
  readonly version: 1
  /** The session's UUID, as `sessionId`. */
  readonly contentId: SessionId
  readonly sessionId: SessionId
  /** Address that signs the anchor: `0x` and 40 hex digits. */
  readonly uploader: string
  /** Whole ms since the epoch. */
  readonly captureStarted: number
  /** Whole ms since the epoch. */
  readonly lastUpdated: number
  readonly status: ManifestStatus
  /** Over the chunks listed. */
  readonly merkleRoot: Sha256Hex
  readonly encryption: { readonly algorithm: 'aes-256-gcm'; readonly keyDerivation: 'hkdf-sha256' }
  /** By group id; at least one. */
  readonly accessList: Readonly<Record<string, WrappedSessionKey>>
  /** By index; at least one. */
  readonly chunks: readonly ManifestChunk[]
}

/**
 * The manifest's one JSON form in UTF-8. The order of keys is that of the object, which the format fixes
 * (docs/evidence-format.md): `manifestOf` in the worker builds it so, groups by id, chunks by index.
 */
export const serialiseManifest = (manifest: Manifest): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(JSON.stringify(manifest))

/**
 * The Merkle root over the leaves of these chunks, in index order.
 *
 * @throws `bad-input` without chunks, or for an index or time out of range
 */
export async function manifestRoot(
  chunks: readonly Pick<ManifestChunk, 'index' | 'plaintextHash' | 'encryptedHash' | 'capturedAt'>[],
): Promise<Sha256Hex> {
  const inOrder = [...chunks].sort((a, b) => a.index - b.index)
  return merkleRoot(await Promise.all(inOrder.map(leafHash)))
}
