import { keccak_256 } from '@noble/hashes/sha3.js'
import type { GroupId } from '../protocol/ids.ts'
import { toHex } from './bytes.ts'
import { newSessionKey } from './keys.ts'

/** The public name of the group whose members share `secret`; it tells nothing of the secret. */
export const groupIdOf = (secret: Uint8Array): GroupId => `0x${toHex(keccak_256(secret))}` as GroupId

/** A fresh group secret: 32 random bytes, as a session key is. */
export const newGroupSecret: () => Uint8Array<ArrayBuffer> = newSessionKey
