import { keccakP } from '@noble/hashes/sha3.js'
import type { GroupId } from '../protocol/ids.ts'
import { toHex } from './bytes.ts'
import { checkKey, KEY_BYTES, newSessionKey } from './keys.ts'

// Keccak-256 absorbs 136 bytes at a time, so a secret and its padding fill one block of the state.
const STATE_WORDS = 50
const RATE_BYTES = 136

/**
 * The public name of the group whose members share `secret`: its keccak256, as Ethereum computes it.
 *
 * One block needs the permutation alone, which weighs a third of the library's whole hash in a page.
 * Words are little-endian, as on every platform with a browser.
 *
 * @param secret 32 bytes
 * @throws `bad-input` for another length
 */
export function groupIdOf(secret: Uint8Array): GroupId {
  checkKey(secret, 'group secret')
  const state = new Uint32Array(STATE_WORDS)
  const bytes = new Uint8Array(state.buffer)
  bytes.set(secret)
  // Keccak's own padding, 10*1; SHA-3 of FIPS 202 would write 6 in the first place.
  bytes[KEY_BYTES] = 0x01
  bytes[RATE_BYTES - 1] = 0x80
  keccakP(state)
  return `0x${toHex(bytes.subarray(0, 32))}` as GroupId
}

/** A fresh group secret: 32 random bytes, as a session key is. */
export const newGroupSecret: () => Uint8Array<ArrayBuffer> = newSessionKey
