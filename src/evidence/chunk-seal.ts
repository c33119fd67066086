import { HoldfastError } from '../protocol/errors.ts'
import type { SessionName, Sha256Hex } from '../protocol/ids.ts'
import { concat, fromHex, toHex, uint32be, utf8 } from './bytes.ts'
import { sha256Hex } from './digest.ts'
import { aesKey, open, seal } from './hpke.ts'
import { platformX25519, type X25519 } from './x25519.ts'

const KEY_BYTES = 32
/** NIST SP 800-38D §5.2.1.1 */
const IV_BYTES = 12

/** The place of a chunk: it opens at no other. */
interface Place {
  readonly name: SessionName
  /** In [0, 2^32). */
  readonly index: number
}

export interface PlainChunk extends Place {
  /** The session's X25519 public key: hex of 32 bytes. */
  readonly sealingKey: string
  readonly plaintext: ArrayBuffer
}

/** What leaves the device of a chunk: its ciphertext, and what its entry says of it beside where that is found. */
export interface SealedChunk {
  /** 16 bytes longer than the plaintext. */
  readonly ciphertext: ArrayBuffer
  readonly plaintextHash: Sha256Hex
  readonly encryptedHash: Sha256Hex
  /** Hex of 12 bytes. */
  readonly iv: string
  /** Sealed to the session's key: hex of 80 bytes. */
  readonly chunkKey: string
}

export interface ChunkToOpen extends Place {
  /** The session's X25519 private key: hex of 32 bytes. */
  readonly sessionKey: string
  /** Its public key, where it is known. */
  readonly sealingKey?: string
  readonly ciphertext: BufferSource
  readonly iv: string
  readonly chunkKey: string
}

/** What binds both the ciphertext and its key to their place. */
const placeBytes = ({ name, index }: Place) => concat(fromHex(name), uint32be(index))

const keyTerms = (place: Uint8Array<ArrayBuffer>) => ({
  info: concat(utf8('holdfast/chunk-key/v2'), place),
  aad: place,
})

const random = (byteLength: number) => crypto.getRandomValues(new Uint8Array(byteLength))

/**
 * The chunk under a fresh key of its own, which is sealed to the session's key and forgotten.
 *
 * @throws `bad-input` for an index out of range or a sealing key that is none
 */
export async function sealChunk(chunk: PlainChunk, x25519: X25519 = platformX25519): Promise<SealedChunk> {
  const place = placeBytes(chunk)
  const key = random(KEY_BYTES)
  const iv = random(IV_BYTES)
  const algorithm = { name: 'AES-GCM', iv, additionalData: place }
  const toSeal = { publicKey: fromHex(chunk.sealingKey), ...keyTerms(place), plaintext: key }
  // Side by side, since a browser has threads for it.
  const [plaintextHash, sealedKey, ciphertext] = await Promise.all([
    sha256Hex(chunk.plaintext),
    seal(toSeal, x25519),
    crypto.subtle.encrypt(algorithm, await aesKey(key, 'encrypt'), chunk.plaintext),
  ])
  const encryptedHash = await sha256Hex(ciphertext)
  return { ciphertext, plaintextHash, encryptedHash, iv: toHex(iv), chunkKey: toHex(sealedKey) }
}

/**
 * The plaintext that `sealChunk` was given.
 *
 * @throws `bad-input` where key, place, IV and ciphertext do not belong together: an altered bit anywhere is refused
 */
export async function openChunk(chunk: ChunkToOpen, x25519: X25519 = platformX25519): Promise<ArrayBuffer> {
  const place = placeBytes(chunk)
  const toOpen = {
    privateKey: fromHex(chunk.sessionKey),
    publicKey: chunk.sealingKey === undefined ? undefined : fromHex(chunk.sealingKey),
    ...keyTerms(place),
    sealed: fromHex(chunk.chunkKey),
  }
  const key = await open(toOpen, x25519)
  const algorithm = { name: 'AES-GCM', iv: fromHex(chunk.iv), additionalData: place }
  try {
    return await crypto.subtle.decrypt(algorithm, await aesKey(key, 'decrypt'), chunk.ciphertext)
  } catch (cause) {
    throw new HoldfastError('bad-input', `Chunk ${chunk.index} does not open under this key and IV`, {
      cause,
    })
  }
}
