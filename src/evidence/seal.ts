import { HoldfastError } from '../protocol/errors.ts'
import type { Cid, Sha256Hex } from '../protocol/ids.ts'
import { fromBase64, toBase64 } from './bytes.ts'
import { contentAddress } from './cid.ts'
import { sha256Hex } from './digest.ts'
import { chunkKey, newIv } from './keys.ts'

/** A chunk to encrypt. */
export interface PlainChunk {
  readonly sessionKey: CryptoKey
  /** In [0, 2^32); binds the key. */
  readonly index: number
  readonly plaintext: ArrayBuffer
  /** 12 bytes; left out, they are random, as they must be for every chunk but a test's. */
  readonly iv?: Uint8Array<ArrayBuffer>
}

export interface EncryptedChunk {
  /** As long as the plaintext and 16 bytes of tag. */
  readonly ciphertext: ArrayBuffer
  /** Base64 of 12 bytes. */
  readonly iv: string
}

export interface SealedBytes extends EncryptedChunk {
  readonly plaintextHash: Sha256Hex
  readonly encryptedHash: Sha256Hex
  readonly cid: Cid
}

/**
 * The chunk under its own key: AES-256-GCM, no additional data, tag at the end (NIST SP 800-38D).
 *
 * @throws `bad-input` for an index out of range
 */
export async function encryptChunk(chunk: PlainChunk): Promise<EncryptedChunk> {
  const { sessionKey, index, plaintext, iv = newIv() } = chunk
  const key = await chunkKey(sessionKey, index)
  const ciphertext = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plaintext)
  return { ciphertext, iv: toBase64(iv) }
}

/**
 * Everything about a chunk that leaves the device: its ciphertext and what a verifier checks it by.
 *
 * @throws `bad-input` for an index out of range
 */
export async function sealChunk(chunk: PlainChunk): Promise<SealedBytes> {
  const plaintextHash = await sha256Hex(chunk.plaintext)
  const { ciphertext, iv } = await encryptChunk(chunk)
  const encryptedHash = await sha256Hex(ciphertext)
  return { ciphertext, plaintextHash, encryptedHash, iv, cid: await contentAddress(ciphertext) }
}

/** A chunk to decrypt. */
export interface SealedInput {
  readonly sessionKey: CryptoKey
  readonly index: number
  readonly ciphertext: BufferSource
  /** Base64 of 12 bytes. */
  readonly iv: string
}

/**
 * The plaintext that `encryptChunk` was given, or nothing: an altered bit anywhere is refused.
 *
 * @throws `bad-input` where key, index, IV and ciphertext do not belong together
 */
export async function openChunk({ sessionKey, index, ciphertext, iv }: SealedInput): Promise<ArrayBuffer> {
  const algorithm = { name: 'AES-GCM', iv: fromBase64(iv) }
  const key = await chunkKey(sessionKey, index)
  return crypto.subtle.decrypt(algorithm, key, ciphertext).catch((cause: unknown) => {
    throw new HoldfastError('bad-input', `Chunk ${index} does not open under this key and IV`, { cause })
  })
}
