import { HoldfastError } from '../protocol/errors.ts'
import type { GroupId, SessionId, SessionName } from '../protocol/ids.ts'
import { concat, fromHex, toHex, utf8 } from './bytes.ts'
import type { GroupAccess } from './entry.ts'
import { groupIdOf, groupTag } from './group-key.ts'
import { open, seal } from './hpke.ts'
import { sessionName } from './name.ts'
import { newPrivateKey, platformX25519, publicKeyOf, type X25519 } from './x25519.ts'

/** What a session is written with; none of it opens what was sealed. */
export interface SessionKeys {
  readonly name: SessionName
  /** P-256 private key that signs heads, PKCS #8. */
  readonly signingKey: ArrayBuffer
  /** Of the signing key, `x ‖ y`: hex of 64 bytes. */
  readonly publicKey: string
  /** X25519 public key to which chunk keys and notes are sealed: hex of 32 bytes. */
  readonly sealingKey: string
  /** By ascending id. */
  readonly access: readonly GroupAccess[]
}

const sessionKeyInfo = (name: SessionName, id: GroupId) =>
  concat(utf8('holdfast/session-key/v2'), fromHex(name + id.slice(2)))

/**
 * Fresh keys for a session. The private key that opens it is forgotten here, once it is sealed to each group.
 *
 * @param groups X25519 public keys, each hex of 32 bytes; 1 to 16 different ones, which is the caller's to check
 * @throws `bad-input` for a key that is none
 */
export async function newSessionKeys(
  id: SessionId,
  groups: readonly { readonly publicKey: string }[],
  x25519: X25519 = platformX25519,
): Promise<SessionKeys> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])
  // `04 ‖ x ‖ y` (SEC 1 §2.3.3)
  const publicKey = toHex(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))).slice(2)
  const name = await sessionName(id, publicKey)
  const openingKey = newPrivateKey()
  const access = await accessOf(openingKey, name, groups, x25519)
  return {
    name,
    signingKey: await crypto.subtle.exportKey('pkcs8', pair.privateKey),
    publicKey,
    sealingKey: toHex(await publicKeyOf(openingKey, x25519)),
    access,
  }
}

async function accessOf(
  openingKey: Uint8Array<ArrayBuffer>,
  name: SessionName,
  groups: readonly { readonly publicKey: string }[],
  x25519: X25519,
): Promise<GroupAccess[]> {
  const access = await Promise.all(
    groups.map(async ({ publicKey }) => {
      const id = await groupIdOf(publicKey)
      const toSeal = {
        publicKey: fromHex(publicKey),
        info: sessionKeyInfo(name, id),
        plaintext: openingKey,
      }
      const sealedKey = toHex(await seal(toSeal, x25519))
      return { id, tag: await groupTag(publicKey, name), sealedKey }
    }),
  )
  return access.sort((a, b) => (a.id < b.id ? -1 : 1))
}

/**
 * The private key that opens a session's chunk keys and notes: hex of 32 bytes.
 *
 * @param groupKey the group's private key: hex of 32 bytes
 * @param groups of the session's first entry
 * @throws `bad-input` where the session is not the group's, or its key does not open
 */
export async function openSessionKey(
  {
    groupKey,
    name,
    groups,
  }: {
    readonly groupKey: string
    readonly name: SessionName
    readonly groups: readonly Pick<GroupAccess, 'id' | 'sealedKey'>[]
  },
  x25519: X25519 = platformX25519,
): Promise<string> {
  const privateKey = fromHex(groupKey)
  const id = await groupIdOf(toHex(await publicKeyOf(privateKey, x25519)))
  const access = groups.find((group) => group.id === id)
  if (!access) throw new HoldfastError('bad-input', `The session is not of the group ${id}`)
  const toOpen = { privateKey, info: sessionKeyInfo(name, id), sealed: fromHex(access.sealedKey) }
  return toHex(await open(toOpen, x25519))
}
