import { createCipheriv, createHash, createSecretKey, hkdfSync, KeyObject } from 'node:crypto'

type DeriveArguments = [{ readonly salt: Uint8Array; readonly info: Uint8Array }, CryptoKey]
type EncryptArguments = [{ readonly iv: Uint8Array<ArrayBuffer> }, CryptoKey | KeyObject, ArrayBuffer]

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
}

/**
 * Takes Web Crypto's place for the digests, derived keys and ciphertexts that the engine makes: the same values,
 * but on this thread and resolved at once, and random bytes from a seed, so that a run can be repeated.
 */
export function useQuickCrypto(): void {
  const { subtle } = crypto
  const encrypt = subtle.encrypt.bind(subtle)
  Object.defineProperties(subtle, {
    digest: {
      configurable: true,
      value: async (_name: string, data: ArrayBuffer | Uint8Array) =>
        new Uint8Array(createHash('sha256').update(viewOf(data)).digest()).buffer,
    },
    deriveKey: {
      configurable: true,
      value: async (...[{ salt, info }, key]: DeriveArguments) =>
        createSecretKey(new Uint8Array(hkdfSync('sha256', KeyObject.from(key), salt, info, 32))),
    },
    encrypt: {
      configurable: true,
      value: async (...[{ iv }, key, data]: EncryptArguments) => {
        if (!(key instanceof KeyObject)) return encrypt({ name: 'AES-GCM', iv }, key, data)
        const cipher = createCipheriv('aes-256-gcm', key, iv)
        const body = [cipher.update(viewOf(data)), cipher.final(), cipher.getAuthTag()]
        return new Uint8Array(Buffer.concat(body)).buffer
      },
    },
  })
  Object.defineProperty(crypto, 'getRandomValues', {
    configurable: true,
    value: (bytes: Uint8Array) => {
      for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor(random() * 256)
      return bytes
    },
  })
}

const viewOf = (data: ArrayBuffer | Uint8Array) => (data instanceof Uint8Array ? data : new Uint8Array(data))
