import { createECDH } from 'node:crypto'
import { hex, hmac, sha256, unhex } from './bytes.ts'

/** The order of P-256's base point (FIPS 186-5, SP 800-186 §3.2.1.3). */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const numberOf = (bytes: Uint8Array) => BigInt(`0x${hex(bytes)}`)
const bytesOf = (value: bigint) => unhex(value.toString(16).padStart(64, '0'))

/** `x ‖ y` of a scalar times the base point. */
function point(scalar: Uint8Array): Buffer {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(scalar)
  return curve.getPublicKey().subarray(1)
}

export interface SigningKey {
  readonly scalar: Buffer
  /** `x ‖ y`, 64 bytes. */
  readonly publicKey: Buffer
}

export function signingKey(seed: Uint8Array): SigningKey {
  const scalar = bytesOf((numberOf(seed) % (N - 1n)) + 1n)
  return { scalar, publicKey: point(scalar) }
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % N
    square = (square * square) % N
  }
  return result
}

/** ECDSA with SHA-256, `r ‖ s` of 64 bytes; its nonce follows from key and message, so that vectors stay. */
export function sign({ scalar }: SigningKey, message: Uint8Array): Buffer {
  const digest = sha256(message)
  const nonce = bytesOf((numberOf(hmac(scalar, digest)) % (N - 1n)) + 1n)
  const r = numberOf(point(nonce).subarray(0, 32)) % N
  const inverse = power(numberOf(nonce), N - 2n)
  const s = (inverse * ((numberOf(digest) + r * numberOf(scalar)) % N)) % N
  return Buffer.concat([bytesOf(r), bytesOf(s)])
}

/** The other signature that is valid wherever this one is: (r, n − s). */
export const otherSignature = (signature: Uint8Array): Buffer =>
  Buffer.concat([signature.subarray(0, 32), bytesOf(N - numberOf(signature.subarray(32)))])
