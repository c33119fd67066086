import type { SessionEntry } from '../evidence/entry.ts'
import { fromHex, toHex } from '../evidence/bytes.ts'
import { groupIdOf, groupTag } from '../evidence/group-key.ts'
import { keyPartOf } from '../evidence/name.ts'
import { openSessionKey } from '../evidence/session-keys.ts'
import { publicKeyOf, type X25519 } from '../evidence/x25519.ts'
import type { SessionName } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'

/**
 * The private key that opens the session's chunks and notes, in hex, once its first entry is shown to be the name's and
 * to let this group read.
 *
 * @throws VerificationError with `groups`, `group` or `key`
 */
export async function openKey(
  name: SessionName,
  session: SessionEntry,
  groupKey: Uint8Array<ArrayBuffer>,
  x25519: X25519,
): Promise<string> {
  if ((await keyPartOf(session.publicKey)) !== name.slice(32)) {
    const what = `The first entry's public key should be that of the name ${name}`
    throw new VerificationError('groups', 'checking the log', what)
  }
  const publicKey = toHex(await publicKeyOf(groupKey, x25519))
  const id = await groupIdOf(publicKey)
  const access = session.groups.find((group) => group.id === id)
  if (access === undefined) {
    const found = session.groups.map((group) => group.id).join(', ')
    const what = `The recording should be for group ${id}, whose key this is; it is for ${found.slice(0, 400)}`
    throw new VerificationError('group', 'checking the group', what)
  }
  const tag = await groupTag(publicKey, name)
  if (access.tag !== tag) {
    const what = `The tag of group ${id} should be ${tag}, found ${access.tag}`
    throw new VerificationError('group', 'checking the group', what)
  }
  const failure = (cause?: unknown) => {
    const what = `The session key sealed to group ${id} does not open under the group's key, or opens nothing`
    return new VerificationError('key', 'opening the session key', what, { cause })
  }
  const opening = openSessionKey({ groupKey: toHex(groupKey), name, groups: [access] }, x25519)
  const sessionKey = await opening.catch((cause: unknown) => {
    throw failure(cause)
  })
  // A key of any other length is none.
  const itsPublicKey = await publicKeyOf(fromHex(sessionKey), x25519).then(toHex, () => undefined)
  if (itsPublicKey !== session.sealingKey) throw failure()
  return sessionKey
}
