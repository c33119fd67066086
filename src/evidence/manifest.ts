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

/** Every name of the manifest's JSON, in the order that all its objects keep; group ids follow, sorted. */
const FIELDS =
  'version contentId sessionId uploader captureStarted lastUpdated status merkleRoot encryption algorithm ' +
  'keyDerivation accessList chunks index cid size duration plaintextHash encryptedHash wrappedKey iv capturedAt ' +
  'uploadedAt'

/**
 * The manifest's one JSON form in UTF-8: the same state gives the same bytes, whatever the order of
 * its keys and chunks. `parseManifest` reads whatever this writes of a manifest that keeps the format.
 *
 * The judge of tests: the worker writes the same form as it builds a manifest (`sw/engine/manifest.ts`), because this
 * list of names weighs 0.1 kB there, and `sw/engine/manifest.test.ts` holds the two together.
 */
export function serialiseManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  const chunks = manifest.chunks.toSorted((a, b) => a.index - b.index)
  // A list of names also gives the order of an object's keys (ECMA-262 §25.5.2.4).
  const names = [...FIELDS.split(' '), ...Object.keys(manifest.accessList).toSorted()]
  return new TextEncoder().encode(JSON.stringify({ ...manifest, chunks }, names))
}

/**
 * The Merkle root over the leaves of these chunks, in index order.
 *
 * @throws `bad-input` without chunks, or for an index or time out of range
 */
export async function manifestRoot(
  chunks: readonly Pick<ManifestChunk, 'index' | 'plaintextHash' | 'encryptedHash' | 'capturedAt'>[],
): Promise<Sha256Hex> {
  const inOrder = chunks.toSorted((a, b) => a.index - b.index)
  return merkleRoot(await Promise.all(inOrder.map(leafHash)))
}
