import {
  createCipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'

type Bytes = ArrayBuffer | Uint8Array
type Algorithm = string | { readonly name: string }
type AesGcm = { readonly iv: Uint8Array; readonly additionalData?: Uint8Array }

/** A generator (mulberry32, T. Ettinger) that gives the same numbers in [0, 1) for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

let random = seededRandom(1)

/** Random bytes of Web Crypto come from this seed from now on. */
export const reseedCrypto = (seed: number) => {
  random = seededRandom(seed)
  signedSince.clear()
}

let onSigned: (message: Uint8Array) => void = () => {}

/** Hears of every message that an ECDSA key signs from now on, instead of whoever heard of them before. */
export const watchSigning = (listener: typeof onSigned) => {
  onSigned = listener
}

/** What stands in a CryptoKey's place: the bytes of a secret, or a key of Node. */
class QuickKey {
  readonly of: Uint8Array | KeyObject

  constructor(of: QuickKey['of']) {
    this.of = of
  }

  get secret(): Uint8Array {
    if (!(this.of instanceof Uint8Array)) throw new TypeError('This key is no secret.')
    return this.of
  }

  get node(): KeyObject {
    if (this.of instanceof Uint8Array) throw new TypeError('This key is a secret.')
    return this.of
  }
}

/** What stands before a raw public key in SubjectPublicKeyInfo (RFC 8410 §4, RFC 5480 §2). */
const SPKI_PREFIX: Readonly<Record<string, Buffer>> = {
  X25519: Buffer.from('302a300506032b656e032100', 'hex'),
  ECDSA: Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'),
}

/** Keys of sessions are imported again and again, by every history. */
const imported = new Map<string, QuickKey>()
const MAX_IMPORTED = 2_000
const MAX_VERIFIED = 4_000
const MAX_SIGNED = 4_000

function importQuickly(format: string, data: Bytes, name: string): QuickKey | undefined {
  const bytes = viewOf(data)
  if (name === 'HMAC' || name === 'AES-GCM') return new QuickKey(bytes.slice())
  const prefix = SPKI_PREFIX[name]
  if (prefix === undefined) return undefined
  const id = `${format} ${name} ${textOf(bytes)}`
  const known = imported.get(id)
  if (known !== undefined) return known
  const key =
    format === 'raw'
      ? createPublicKey({ key: Buffer.concat([prefix, bytes]), format: 'der', type: 'spki' })
      : createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' })
  if (imported.size >= MAX_IMPORTED) imported.clear()
  const quick = new QuickKey(key)
  imported.set(id, quick)
  return quick
}

/** Signatures of the same message, in the order in which one history asked for them: no two are alike. */
const signatures = new WeakMap<QuickKey, Map<string, Buffer[]>>()
/** How often this history has signed a message. */
const signedSince = new Map<string, number>()

/** What the key signed for an earlier history stands for this one: real, and of another message never. */
function signOnce(key: QuickKey, data: Uint8Array): Buffer {
  const known = signatures.get(key) ?? new Map<string, Buffer[]>()
  signatures.set(key, known)
  const id = textOf(data)
  const nth = signedSince.get(id) ?? 0
  signedSince.set(id, nth + 1)
  if (known.size >= MAX_SIGNED) known.clear()
  const made = known.get(id) ?? []
  known.set(id, made)
  return (made[nth] ??= sign('sha256', data, { key: key.node, ...P1363 }))
}

/** Secrets that two keys share. */
const shared = new WeakMap<QuickKey, Map<QuickKey, Buffer>>()

function shareOnce(ours: QuickKey, theirs: QuickKey): Buffer {
  const known = shared.get(ours) ?? new Map<QuickKey, Buffer>()
  shared.set(ours, known)
  const secret = known.get(theirs) ?? diffieHellman({ privateKey: ours.node, publicKey: theirs.node })
  known.set(theirs, secret)
  return secret
}

/** What verified and what did not: the same is asked again and again. */
const verified = new WeakMap<QuickKey, Map<string, boolean>>()

function verifyOnce(key: QuickKey, signature: Uint8Array, data: Uint8Array): boolean {
  const known = verified.get(key) ?? new Map<string, boolean>()
  verified.set(key, known)
  const id = `${signature.length} ${textOf(signature)}${textOf(data)}`
  const holds = known.get(id) ?? verify('sha256', data, { key: key.node, ...P1363 }, signature)
  if (known.size >= MAX_VERIFIED) known.clear()
  known.set(id, holds)
  return holds
}

/** Of ECDSA: r ‖ s, as Web Crypto has it. */
const P1363 = { dsaEncoding: 'ieee-p1363' } as const

/**
 * Takes Web Crypto's place for what the engine asks of it: the same values, but on this thread and resolved at once,
 * and random bytes from a seed, so that a run can be repeated. A signature alone has chance of its own, and is made once in a process. What a key of
 * the platform is given for stays the platform's.
 */
export function useQuickCrypto(): void {
  const { subtle } = crypto
  const { encrypt, sign: platformSign, verify: platformVerify, importKey, deriveBits } = subtle
  const quick = {
    digest: async (_name: string, data: Bytes) => bufferOf(hash('sha256', viewOf(data), 'buffer')),

    async importKey(...args: Parameters<typeof importKey>) {
      const [format, data, algorithm] = args as unknown as [string, Bytes, Algorithm]
      return importQuickly(format, data, nameOf(algorithm)) ?? importKey.apply(subtle, args)
    },

    async sign(...args: [Algorithm, CryptoKey | QuickKey, Bytes]) {
      const [algorithm, key, data] = args
      if (!(key instanceof QuickKey))
        return platformSign.apply(subtle, args as unknown as Parameters<typeof platformSign>)
      if (nameOf(algorithm) === 'HMAC')
        return bufferOf(createHmac('sha256', key.secret).update(viewOf(data)).digest())
      onSigned(viewOf(data))
      return bufferOf(signOnce(key, viewOf(data)))
    },

    async verify(...args: [Algorithm, CryptoKey | QuickKey, Bytes, Bytes]) {
      const [, key, signature, data] = args
      if (!(key instanceof QuickKey))
        return platformVerify.apply(subtle, args as unknown as Parameters<typeof platformVerify>)
      return verifyOnce(key, viewOf(signature), viewOf(data))
    },

    async deriveBits(...args: [{ readonly public: CryptoKey | QuickKey }, CryptoKey | QuickKey, number]) {
      const [algorithm, key] = args
      const theirs = algorithm.public
      if (!(key instanceof QuickKey) || !(theirs instanceof QuickKey))
        return deriveBits.apply(subtle, args as unknown as Parameters<typeof deriveBits>)
      return bufferOf(shareOnce(key, theirs))
    },

    async encrypt(...args: [AesGcm, CryptoKey | QuickKey, Bytes]) {
      const [{ iv, additionalData }, key, data] = args
      if (!(key instanceof QuickKey))
        return encrypt.apply(subtle, args as unknown as Parameters<typeof encrypt>)
      const cipher = createCipheriv('aes-256-gcm', key.secret, iv)
      if (additionalData) cipher.setAAD(additionalData)
      return bufferOf(Buffer.concat([cipher.update(viewOf(data)), cipher.final(), cipher.getAuthTag()]))
    },
  }
  for (const [name, value] of Object.entries(quick))
    Object.defineProperty(subtle, name, { configurable: true, value })
  Object.defineProperty(crypto, 'getRandomValues', {
    configurable: true,
    value: (bytes: Uint8Array) => {
      for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor(random() * 256)
      return bytes
    },
  })
}

const nameOf = (algorithm: Algorithm) => (typeof algorithm === 'string' ? algorithm : algorithm.name)
/** One character for each byte. */
const textOf = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
const viewOf = (data: Bytes) => (data instanceof Uint8Array ? data : new Uint8Array(data))
const bufferOf = (bytes: Uint8Array) => new Uint8Array(bytes).buffer
