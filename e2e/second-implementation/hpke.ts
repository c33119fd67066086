import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto'
import { cat, hmac, text, u16, u8 } from './bytes.ts'

// RFC 9180, base mode, single-shot: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Names as there.

const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex') // RFC 8410, X25519
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')
const KEM_SUITE = cat(text('KEM'), u16(0x0020))
/** What this format seals with; the test holds the same code against the RFC's AES-128-GCM. */
const AES_256_GCM = { id: 0x0002, keyBytes: 32 }

const privateOf = (raw: Uint8Array) =>
  createPrivateKey({ key: cat(PKCS8, raw), format: 'der', type: 'pkcs8' })
const publicOf = (raw: Uint8Array) => createPublicKey({ key: cat(SPKI, raw), format: 'der', type: 'spki' })

const rawPublic = (privateKey: KeyObject): Buffer =>
  createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32)

/** The X25519 public key of a private one (RFC 7748). */
export const x25519Public = (privateKey: Uint8Array): Buffer => rawPublic(privateOf(privateKey))

/** What it shares with the key of another, and its own public key: to read a private key takes longer than all else here. */
export function x25519(privateKey: Uint8Array, publicKey: Uint8Array): { dh: Buffer; own: Buffer } {
  const key = privateOf(privateKey)
  return { dh: diffieHellman({ privateKey: key, publicKey: publicOf(publicKey) }), own: rawPublic(key) }
}

const extract = (salt: Uint8Array, suite: Uint8Array, label: string, ikm: Uint8Array) =>
  hmac(salt, text('HPKE-v1'), suite, text(label), ikm)

/** One round of HKDF-Expand is enough: nothing here is longer than 32 bytes. */
const expand = (prk: Uint8Array, suite: Uint8Array, label: string, info: Uint8Array, length: number) =>
  hmac(prk, u16(length), text('HPKE-v1'), suite, text(label), info, u8(1)).subarray(0, length)

/** Key and nonce of the one message, and all else on the way to them that opens it too. */
export function keySchedule(
  dh: Uint8Array,
  enc: Uint8Array,
  publicKey: Uint8Array,
  info: Uint8Array,
  aead: { id: number; keyBytes: number } = AES_256_GCM,
) {
  const suite = cat(text('HPKE'), u16(0x0020), u16(0x0001), u16(aead.id))
  const none = Buffer.alloc(0)
  const eaePrk = extract(none, KEM_SUITE, 'eae_prk', dh)
  const shared = expand(eaePrk, KEM_SUITE, 'shared_secret', cat(enc, publicKey), 32)
  const pskIdHash = extract(none, suite, 'psk_id_hash', none)
  const infoHash = extract(none, suite, 'info_hash', info)
  const context = cat(u8(0), pskIdHash, infoHash)
  const secret = extract(shared, suite, 'secret', none)
  const key = expand(secret, suite, 'key', context, aead.keyBytes)
  return {
    key,
    nonce: expand(secret, suite, 'base_nonce', context, 12),
    secrets: [dh, eaePrk, shared, secret, key],
  }
}

export function aesGcm(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(aad)
  return cat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

/** Throws where its tag is another. */
export function gcmOpen(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, iv)
  decipher.setAuthTag(sealed.subarray(-16))
  decipher.setAAD(aad)
  return cat(decipher.update(sealed.subarray(0, -16)), decipher.final())
}

/** `enc ‖ ct`, with this ephemeral key: fixed in vectors, never twice otherwise. */
export function hpkeSeal(
  publicKey: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  ephemeral: Uint8Array,
): Buffer {
  const { dh, own: enc } = x25519(ephemeral, publicKey)
  const { key, nonce } = keySchedule(dh, enc, publicKey, info)
  return cat(enc, aesGcm(key, nonce, aad, plaintext))
}
