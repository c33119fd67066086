import { HoldfastError } from '../protocol/errors.ts'
import { concat, uint16be, uint8, utf8 } from './bytes.ts'
import { hmacSha256 } from './digest.ts'
import { newPrivateKey, platformX25519, publicKeyOf, X25519_BYTES, type X25519 } from './x25519.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** What is sealed and opened under the same terms. */
interface Terms {
  /** Binds the sealed value to its purpose. */
  readonly info: Bytes
  /** Bound too, but not contained; empty where left out. */
  readonly aad?: Bytes
}

export interface ToSeal extends Terms {
  /** Of the recipient: 32 bytes. */
  readonly publicKey: Bytes
  readonly plaintext: Bytes
  /** Private key for this one value; left out, it is random, as it must be but for a test's. */
  readonly ephemeralKey?: Bytes
}

export interface ToOpen extends Terms {
  /** Of the recipient: 32 bytes. */
  readonly privateKey: Bytes
  readonly sealed: Bytes
  /** Of the private key, where it is known: to find it costs as much as the rest. */
  readonly publicKey?: Bytes | undefined
}

// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (RFC 9180 §7)
const KEM = concat(utf8('KEM'), uint16be(0x0020))
const HPKE = concat(utf8('HPKE'), uint16be(0x0020), uint16be(0x0001), uint16be(0x0002))

const EMPTY: Bytes = new Uint8Array()
/** The salt where there is none (RFC 5869 §2.2). */
const NO_SALT: Bytes = new Uint8Array(32)
const MODE_BASE = uint8(0)

const labeled = (suite: Bytes, label: string, ...rest: Bytes[]) =>
  concat(utf8('HPKE-v1'), suite, utf8(label), ...rest)

/** LabeledExtract of §4. */
const extract = (suite: Bytes, salt: Bytes, label: string, keyMaterial: Bytes) =>
  hmacSha256(salt, labeled(suite, label, keyMaterial))

/** LabeledExpand of §4, for 32 bytes at most: one block of HKDF-Expand, which is one HMAC. */
const expand = async (suite: Bytes, key: Bytes, label: string, info: Bytes, length: number) =>
  (await hmacSha256(key, concat(uint16be(length), labeled(suite, label, info), uint8(1)))).slice(0, length)

/** Key and nonce of the one message: ExtractAndExpand of §4.1, then KeySchedule of §5.1 in base mode. */
async function keySchedule(secret: Bytes, encapsulated: Bytes, publicKey: Bytes, info: Bytes) {
  const eaePrk = await extract(KEM, NO_SALT, 'eae_prk', secret)
  const shared = await expand(KEM, eaePrk, 'shared_secret', concat(encapsulated, publicKey), 32)
  const context = concat(
    MODE_BASE,
    await extract(HPKE, NO_SALT, 'psk_id_hash', EMPTY),
    await extract(HPKE, NO_SALT, 'info_hash', info),
  )
  const prk = await extract(HPKE, shared, 'secret', EMPTY)
  return {
    key: await expand(HPKE, prk, 'key', context, 32),
    iv: await expand(HPKE, prk, 'base_nonce', context, 12),
  }
}

/** For AES-256-GCM. */
export const aesKey = (key: Bytes, usage: 'encrypt' | 'decrypt') =>
  crypto.subtle.importKey('raw', key, 'AES-GCM', false, [usage])

/**
 * A value that only the recipient can open: `enc ‖ ct` of RFC 9180 in base mode, single-shot (§6.1), so 48 bytes more
 * than the plaintext.
 *
 * @throws `bad-input` for a public key that is none
 */
export async function seal(toSeal: ToSeal, x25519: X25519 = platformX25519): Promise<Bytes> {
  const { publicKey, info, aad = EMPTY, plaintext, ephemeralKey = newPrivateKey() } = toSeal
  const encapsulated = await publicKeyOf(ephemeralKey, x25519)
  const secret = await x25519(ephemeralKey, publicKey).catch((cause: unknown) => {
    throw new HoldfastError('bad-input', 'This is no X25519 public key', { cause })
  })
  const { key, iv } = await keySchedule(secret, encapsulated, publicKey, info)
  const algorithm = { name: 'AES-GCM', iv, additionalData: aad }
  const ciphertext = await crypto.subtle.encrypt(algorithm, await aesKey(key, 'encrypt'), plaintext)
  return concat(encapsulated, new Uint8Array(ciphertext))
}

/**
 * The plaintext of what `seal` made.
 *
 * @throws `bad-input` where key, terms and sealed value do not belong together
 */
export async function open(toOpen: ToOpen, x25519: X25519 = platformX25519): Promise<Bytes> {
  const { privateKey, info, aad = EMPTY, sealed } = toOpen
  const encapsulated = sealed.slice(0, X25519_BYTES)
  const publicKey = toOpen.publicKey ?? (await publicKeyOf(privateKey, x25519))
  try {
    const secret = await x25519(privateKey, encapsulated)
    const { key, iv } = await keySchedule(secret, encapsulated, publicKey, info)
    const algorithm = { name: 'AES-GCM', iv, additionalData: aad }
    const ciphertext = sealed.slice(X25519_BYTES)
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, await aesKey(key, 'decrypt'), ciphertext))
  } catch (cause) {
    throw new HoldfastError('bad-input', 'The sealed value does not open', { cause })
  }
}
