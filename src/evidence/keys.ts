import { HoldfastError } from '../protocol/errors.ts'
import { fromBase64, toBase64, uint32be } from './bytes.ts'

/** Bytes of a session key, of a group secret and of the chunk key derived from the former. */
export const KEY_BYTES = 32
/** Bytes of an AES-GCM initialisation vector (NIST SP 800-38D §5.2.1.1). */
export const IV_BYTES = 12
/** What AES-GCM adds at the end of a ciphertext, in bytes. */
export const TAG_BYTES = 16

const CHUNK_SALT = new TextEncoder().encode('witness-chunk')

/** A session key under one group's secret; both fields are Base64. */
export interface WrappedSessionKey {
  readonly wrappedKey: string
  readonly iv: string
}

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))

/** A fresh IV: random, so the same chunk may be sealed again under its key. */
export const newIv = (): Uint8Array<ArrayBuffer> => random(IV_BYTES)

/** A fresh session key: 32 random bytes. */
export const newSessionKey = (): Uint8Array<ArrayBuffer> => random(KEY_BYTES)

/**
 * Refuses what cannot be a key or secret; `name` is how the message calls it.
 *
 * @throws `bad-input` for anything but 32 bytes
 */
export function checkKey(bytes: Uint8Array, name: string): void {
  if (bytes.length !== KEY_BYTES) {
    throw new HoldfastError('bad-input', `The ${name} has ${bytes.length} bytes instead of ${KEY_BYTES}`)
  }
}

/**
 * The session key in a form that derives chunk keys and never gives its bytes back.
 *
 * @param raw 32 bytes; the caller may overwrite them afterwards
 * @throws `bad-input` for another length
 */
export async function importSessionKey(raw: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  checkKey(raw, 'session key')
  return crypto.subtle.importKey('raw', raw, 'HKDF', false, ['deriveKey'])
}

/**
 * The key of one chunk: HKDF-SHA-256 (RFC 5869) with salt `witness-chunk` and the index as info.
 *
 * @param index in [0, 2^32)
 * @throws `bad-input` for another index
 */
export async function chunkKey(sessionKey: CryptoKey, index: number): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: CHUNK_SALT, info: uint32be(index) },
    sessionKey,
    { name: 'AES-GCM', length: 8 * KEY_BYTES },
    false,
    ['encrypt', 'decrypt'],
  )
}

async function groupKey(groupSecret: Uint8Array<ArrayBuffer>, usage: KeyUsage): Promise<CryptoKey> {
  checkKey(groupSecret, 'group secret')
  return crypto.subtle.importKey('raw', groupSecret, 'AES-GCM', false, [usage])
}

/**
 * The session key, readable by whoever has the group secret (AES-256-GCM, no additional data).
 *
 * @param iv 12 bytes; left out, they are random, as they must be for every key but a test's
 * @throws `bad-input` where key or secret is not 32 bytes
 */
export async function wrapSessionKey(
  raw: Uint8Array<ArrayBuffer>,
  groupSecret: Uint8Array<ArrayBuffer>,
  iv: Uint8Array<ArrayBuffer> = newIv(),
): Promise<WrappedSessionKey> {
  checkKey(raw, 'session key')
  const key = await groupKey(groupSecret, 'encrypt')
  const wrapped = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, raw)
  return { wrappedKey: toBase64(new Uint8Array(wrapped)), iv: toBase64(iv) }
}

/**
 * The 32 bytes of the session key that `wrapSessionKey` wrapped.
 *
 * @throws `bad-input` where the secret is not 32 bytes, is another group's, or the wrapped key was altered
 */
export async function unwrapSessionKey(
  { wrappedKey, iv }: WrappedSessionKey,
  groupSecret: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const key = await groupKey(groupSecret, 'decrypt')
  const algorithm = { name: 'AES-GCM', iv: fromBase64(iv) }
  const raw = await crypto.subtle.decrypt(algorithm, key, fromBase64(wrappedKey)).catch((cause: unknown) => {
    throw new HoldfastError('bad-input', 'The wrapped key does not open under this group secret', { cause })
  })
  const bytes = new Uint8Array(raw)
  checkKey(bytes, 'session key')
  return bytes
}
