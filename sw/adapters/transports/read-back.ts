import { sha256Hex } from '../../../src/evidence/digest.ts'
import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { Answer } from '../../http/request.ts'
import type { Upload } from '../../ports/transport.ts'

/** The upload's SHA-256 in Base64, as headers have it. */
export const digestOf = (upload: Upload): string =>
  btoa(upload.sha256.replace(/../g, (byte) => String.fromCharCode(parseInt(byte, 16))))

/** Whether an answer has the copy. Any other success has a promise of it (202), a part (206) or nothing (204). */
export const hasCopy = ({ status }: Answer): boolean => [200, 203].includes(status)

/** Whether these bytes, read back from the store, are the ones that were sent. They are gone then: nobody waits for garbage. */
export async function isOurs(upload: Upload, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const found = await sha256Hex(bytes)
  // Not every browser can.
  const buffer: ArrayBuffer & { transfer?(bytes: number): unknown } = bytes.buffer
  buffer.transfer?.(0)
  return found === upload.sha256
}

/**
 * Whether a copy is ours, asked once more before it is given up: one answer may be of something between us, such as a
 * network's sign-in page or a stale cache.
 */
export const isOursAtLast = async (isOurs: () => Promise<boolean>): Promise<boolean> =>
  (await isOurs()) || isOurs()

/** The store has other bytes under this upload's name, or none of those that it said it has. */
export const mismatch = ({ cid }: Upload, found: string, hint = ''): HoldfastError =>
  new HoldfastError('address-mismatch', `The store has ${found} for ${cid}.${hint}`)
