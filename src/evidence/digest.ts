import type { Sha256Hex } from '../protocol/ids.ts'
import { toHex } from './bytes.ts'

/** SHA-256 of all of `data` (FIPS 180-4): 32 bytes. */
export const sha256 = async (data: BufferSource): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', data))

/** SHA-256 of all of `data`, as 64 lower-case hex digits. */
export const sha256Hex = async (data: BufferSource): Promise<Sha256Hex> =>
  toHex(await sha256(data)) as Sha256Hex

/**
 * HMAC with SHA-256 (RFC 2104): 32 bytes.
 *
 * @param key not empty
 */
export async function hmacSha256(
  key: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, message))
}
