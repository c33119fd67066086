import type { GroupId, SessionName, Sha256Hex } from '../protocol/ids.ts'
import { concat, fromHex, toHex, uint32be, uint8, utf8 } from './bytes.ts'
import { sha256Hex } from './digest.ts'
import { NO_HASH } from './entry.ts'
import { keyPartOf } from './name.ts'

/** What the log of a session is after one of its pages. */
export interface Head {
  readonly name: SessionName
  /** Entries in the log; from 1 to below 2^32. */
  readonly size: number
  /** Of the tree of this size. */
  readonly root: Sha256Hex
  /** Digest of the page that ends there. */
  readonly page: Sha256Hex
  /** Digest of the page before it. */
  readonly previous: Sha256Hex | null
  /** `groupsDigest` of the session's groups. */
  readonly groups: Sha256Hex
  /** Whether the last entry is an `end` that is `complete`. */
  readonly end: boolean
}

/** A head with the session's public key `x ‖ y` and its signature `r ‖ s`, hex. */
export interface SignedHead extends Head {
  readonly publicKey: string
  readonly signature: string
}

export const HEAD_LABEL = 'holdfast/head/v2'

/** To import a key, and to sign and verify with it. */
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** The key that signs a session's heads, from PKCS#8, in a form that never gives its bytes back. */
export const importSigningKey = (pkcs8: ArrayBuffer): Promise<CryptoKey> =>
  crypto.subtle.importKey('pkcs8', pkcs8, ECDSA, false, ['sign'])

/**
 * The 185 bytes that are signed.
 *
 * @throws `bad-input` for a size that no log has
 */
export const serialiseHead = (head: Head): Uint8Array<ArrayBuffer> =>
  concat(
    utf8(HEAD_LABEL),
    fromHex(head.name),
    // A field of 64 bits, of which a log needs half.
    uint32be(0),
    uint32be(head.size),
    fromHex(head.root + head.page + (head.previous ?? NO_HASH) + head.groups),
    uint8(Number(head.end)),
  )

/** A signed head as an object: the 185 bytes, the public key, the signature; 313 bytes. */
export const serialiseSignedHead = (head: SignedHead): Uint8Array<ArrayBuffer> =>
  concat(serialiseHead(head), fromHex(head.publicKey + head.signature))

/** What a head says of the groups, in the order of the session's first entry. */
export const groupsDigest = (
  groups: readonly { readonly id: GroupId; readonly tag: Sha256Hex }[],
): Promise<Sha256Hex> => sha256Hex(fromHex(groups.map(({ id, tag }) => id.slice(2) + tag).join('')))

/**
 * The signature of a head, `r ‖ s`: hex of 64 bytes.
 *
 * @param key the session's P-256 private key
 * @throws `bad-input` for a size that no log has
 */
export const signHead = async (key: CryptoKey, head: Head): Promise<string> =>
  toHex(new Uint8Array(await crypto.subtle.sign(ECDSA, key, serialiseHead(head))))

/**
 * Whether a head is the session's that it names: its name is that of the key, and the key has signed it.
 *
 * @param publicKey `x ‖ y` in hex
 * @param signature `r ‖ s` in hex
 * @throws `bad-input` for what is no hex, or a size that no log has; a key or signature of another length does not hold
 */
export const verifyHead = async (head: Head, publicKey: string, signature: string): Promise<boolean> =>
  isSignedBy(await verifyingKeyOf(head.name, publicKey), head, signature)

/**
 * The key that verifies the heads of a session; undefined where it is not the one that the name names, or none at all.
 *
 * @param publicKey `x ‖ y` in hex
 * @throws `bad-input` for what is no hex
 */
export async function verifyingKeyOf(name: SessionName, publicKey: string): Promise<CryptoKey | undefined> {
  if (name.slice(32) !== (await keyPartOf(publicKey))) return undefined
  return (
    crypto.subtle
      .importKey('raw', fromHex(`04${publicKey}`), ECDSA, false, ['verify'])
      // No point of the curve
      .catch(() => undefined)
  )
}

/** @throws `bad-input` for a signature that is no hex, or a size that no log has */
export const isSignedBy = async (
  key: CryptoKey | undefined,
  head: Head,
  signature: string,
): Promise<boolean> =>
  key !== undefined && crypto.subtle.verify(ECDSA, key, fromHex(signature), serialiseHead(head))
