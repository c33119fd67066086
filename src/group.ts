import type { Group } from './api.ts'
import { toHex } from './evidence/bytes.ts'
import { groupIdOf as idOf } from './evidence/group-key.ts'
import { x25519 } from './evidence/x25519-pick.ts'
import { newPrivateKey, publicKeyOf } from './evidence/x25519.ts'
import { asOurs, HoldfastError } from './protocol/errors.ts'
import { isSha256Hex, type GroupId } from './protocol/ids.ts'
import { LOAD_TIMEOUT_MS } from './timeouts.ts'
import { withTimeout } from './with-timeout.ts'

/** Both keys of a group. Whoever records needs the public one alone, and whoever reads the private one. */
export interface GroupKeys extends Group {
  /** X25519: 32 bytes. Opens every recording of the group, past and future: it need never be on a phone that records. */
  readonly privateKey: Uint8Array<ArrayBuffer>
}

/** A new group. Keep a copy of its private key off this device: without it nobody can ever open a recording. */
export const newGroup = (): Promise<GroupKeys> => groupOf(newPrivateKey())

/**
 * The group that a private key opens.
 *
 * @param privateKey 32 bytes
 * @throws HoldfastError `bad-input`; in a browser without X25519 `unsupported-browser` or `defect`, where the library for
 *   that does not load
 */
export async function groupOf(privateKey: Uint8Array<ArrayBuffer>): Promise<GroupKeys> {
  if (!(privateKey instanceof Uint8Array && privateKey.length === 32))
    throw new HoldfastError('bad-input', 'A private key is a Uint8Array of 32 bytes.')
  const keys = async () => ({ publicKey: toHex(await publicKeyOf(privateKey, await x25519())), privateKey })
  return withTimeout(LOAD_TIMEOUT_MS, undefined, keys).catch(asOurs())
}

/**
 * Under which id a group is known: in snapshots, on the chain and in the log of each of its recordings.
 *
 * @throws HoldfastError `bad-input`
 */
export async function groupIdOf(group: Group): Promise<GroupId> {
  if (!isSha256Hex(group?.publicKey))
    throw new HoldfastError('bad-input', 'A public key is 64 lower-case hex digits.')
  return idOf(group.publicKey)
}
