import { HoldfastError } from '../protocol/errors.ts'

/** Bytes as lower-case hex, without `0x`. */
export const toHex = (bytes: Uint8Array): string =>
  bytes.reduce((hex, byte) => hex + (256 + byte).toString(16).slice(1), '')

/**
 * The bytes that a hex string without `0x` stands for; upper case is read too.
 *
 * @throws `bad-input` for an odd length or anything that is no hex digit
 */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  if (!/^([0-9a-f]{2})*$/i.test(hex)) throw new HoldfastError('bad-input', 'Not hex')
  // Not of a list of pairs: a tenth of all that an engine computes went there, three quarters of it for the list.
  return new Uint8Array(hex.length / 2).map((_, at) => parseInt(hex.slice(2 * at, 2 * at + 2), 16))
}

/** Bytes as padded Base64 (RFC 4648 §4); meant for keys and IVs, not for payloads. */
export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/**
 * The bytes that a Base64 string stands for, where it is the one that `toBase64` would write.
 *
 * @throws `bad-input` for other alphabets, white space, missing padding or stray bits
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array<ArrayBuffer>
  try {
    bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  } catch (cause) {
    throw new HoldfastError('bad-input', 'Not Base64', { cause })
  }
  if (toBase64(bytes) !== text) throw new HoldfastError('bad-input', 'Not Base64')
  return bytes
}

/** `sizeBytes` bytes, big-endian. */
function bigEndian(value: number, sizeBytes: number): Uint8Array<ArrayBuffer> {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 256 ** sizeBytes)
    throw new HoldfastError('bad-input', `${value} is not ${sizeBytes} bytes`)
  // Each is stored modulo 256, without its fraction.
  return new Uint8Array(sizeBytes).map((_, at) => value / 256 ** (sizeBytes - 1 - at))
}

/**
 * One byte.
 *
 * @throws `bad-input` unless `value` is a whole number in [0, 2^8)
 */
export const uint8 = (value: number): Uint8Array<ArrayBuffer> => bigEndian(value, 1)

/**
 * Two bytes, big-endian.
 *
 * @throws `bad-input` unless `value` is a whole number in [0, 2^16)
 */
export const uint16be = (value: number): Uint8Array<ArrayBuffer> => bigEndian(value, 2)

/**
 * Four bytes, big-endian.
 *
 * @throws `bad-input` unless `value` is a whole number in [0, 2^32)
 */
export const uint32be = (value: number): Uint8Array<ArrayBuffer> => bigEndian(value, 4)

/**
 * Eight bytes, big-endian.
 *
 * @throws `bad-input` unless `value` is a whole number in [0, 2^53), which a `number` holds exactly
 */
export const uint64be = (value: number): Uint8Array<ArrayBuffer> => bigEndian(value, 8)

/** Text in UTF-8. */
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

/** The longest beginning of a text, in whole characters, of at most this many bytes in UTF-8. */
export const beginningOf = (text: string, maxBytes: number): string =>
  // A stream waits for the rest of its last character.
  new TextDecoder().decode(utf8(text).subarray(0, maxBytes), { stream: true })

/** The parts one after the other, in memory of their own. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/**
 * The bytes behind their number, as two bytes.
 *
 * @throws `bad-input` for more than 65,535
 */
export const counted = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => concat(uint16be(bytes.length), bytes)

/** Whether both hold the same bytes; takes longer the more agree, so never for secrets. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at])
