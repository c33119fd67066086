import { concat, fromHex } from './bytes.ts'

/**
 * The function X25519 of RFC 7748 §5: 32 bytes, from 32 each. Of a private key and somebody's public key it makes the
 * secret that both share. Rejects where that is all zero, as of a public key that is none (§6.1).
 */
export type X25519 = (
  privateKey: Uint8Array<ArrayBuffer>,
  publicKey: Uint8Array<ArrayBuffer>,
) => Promise<Uint8Array<ArrayBuffer>>

/** Bytes of a private key, of a public one and of a shared secret. */
export const X25519_BYTES = 32

/** The base point, u = 9. */
const BASE_POINT = Uint8Array.from({ length: X25519_BYTES }, (_, at) => (at === 0 ? 9 : 0))

/** What stands before the private key in PKCS #8 (RFC 8410 §7), the only form besides JWK that WebCrypto imports. */
const PKCS8_PREFIX = '302e020100300506032b656e04220420'

/** Whether the platform has it. */
export const hasX25519 = (): Promise<boolean> =>
  publicKeyOf(newPrivateKey()).then(
    () => true,
    () => false,
  )

/** By the platform: Chromium from 133, Firefox from 130, Safari from 17, Node from 20. Rejects in others. */
export const platformX25519: X25519 = async (privateKey, publicKey) => {
  const { subtle } = crypto
  const scalar = Uint8Array.from(privateKey)
  // Three bits that the function clears (§5). WebKitGTK 2.50 takes no key whose first byte is 0, one of 256.
  scalar[0]! |= 7
  const pkcs8 = concat(fromHex(PKCS8_PREFIX), scalar)
  const ours = await subtle.importKey('pkcs8', pkcs8, 'X25519', false, ['deriveBits'])
  const theirs = await subtle.importKey('raw', publicKey, 'X25519', false, [])
  return new Uint8Array(await subtle.deriveBits({ name: 'X25519', public: theirs }, ours, 256))
}

/** A fresh private key. */
export const newPrivateKey = (): Uint8Array<ArrayBuffer> =>
  crypto.getRandomValues(new Uint8Array(X25519_BYTES))

/** The public key that belongs to a private one. */
export const publicKeyOf = (
  privateKey: Uint8Array<ArrayBuffer>,
  x25519: X25519 = platformX25519,
): Promise<Uint8Array<ArrayBuffer>> => x25519(privateKey, BASE_POINT)
