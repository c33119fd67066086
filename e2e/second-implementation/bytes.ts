import { createHash, createHmac } from 'node:crypto'

// What docs/evidence-format.md says, in node:crypto alone: nothing here may import src/evidence, which it judges.

export const u8 = (value: number): Buffer => Buffer.from([value])
export const u16 = (value: number): Buffer => Buffer.from([value >>> 8, value & 255])
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
export const text = (value: string): Buffer => Buffer.from(value, 'utf8')
export const cat = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts)
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const unhex = (digits: string): Buffer => Buffer.from(digits, 'hex')
export const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256')
    .update(cat(...parts))
    .digest()
export const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer =>
  createHmac('sha256', key)
    .update(cat(...parts))
    .digest()
/** As JSON-RPC writes bytes. */
export const prefixedHex = (bytes: Uint8Array): `0x${string}` => `0x${hex(bytes)}`
/** A signature's r and s, or any two words. */
export const halves = (bytes: Uint8Array) =>
  [prefixedHex(bytes.subarray(0, 32)), prefixedHex(bytes.subarray(32))] as const
