import { x25519 } from '@noble/curves/ed25519.js'
import type { X25519 } from './x25519.ts'

/** Without the platform: for a worker, which cannot load it later, where the app wants browsers that lack X25519. */
export const libraryX25519: X25519 = async (privateKey, publicKey) =>
  new Uint8Array(x25519.getSharedSecret(privateKey, publicKey))
