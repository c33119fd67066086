import type { GroupId, SessionName, Sha256Hex } from '../protocol/ids.ts'
import { concat, fromHex, toHex, utf8 } from './bytes.ts'
import { hmacSha256, sha256Hex } from './digest.ts'

/**
 * The id of the group that has this X25519 public key.
 *
 * @param publicKey hex of 32 bytes
 */
export const groupIdOf = async (publicKey: string): Promise<GroupId> =>
  `0x${await sha256Hex(concat(utf8('holdfast/group/v2'), fromHex(publicKey)))}` as GroupId

/**
 * The tag of a session in a group: who does not know the group's public key can make none.
 *
 * @param publicKey hex of 32 bytes
 */
export const groupTag = async (publicKey: string, name: SessionName): Promise<Sha256Hex> =>
  toHex(await hmacSha256(fromHex(publicKey), fromHex(name))) as Sha256Hex
