import { HoldfastError } from './protocol/errors.ts'
import { READ_MS_PER_BYTE, READ_TIMEOUT_MS } from './timeouts.ts'
import { tryAgain } from './try-again.ts'
import { withTimeout } from './with-timeout.ts'

/**
 * All bytes of a Blob, in a time that grows with them.
 *
 * @throws where they cannot be read, are not as many as it says (a file that is cut short meanwhile), or take too long
 */
export async function readOnce(blob: Blob): Promise<ArrayBuffer> {
  const timeoutMs = READ_TIMEOUT_MS + READ_MS_PER_BYTE * blob.size
  const bytes = await withTimeout(timeoutMs, undefined, () => blob.arrayBuffer())
  if (bytes.byteLength !== blob.size) throw new RangeError()
  return bytes
}

/**
 * The same, though they cannot be read at first.
 *
 * @param onFailure told of each read that failed or hung
 * @throws HoldfastError `payload-unreadable` after a few seconds, or minutes where each read hangs
 */
export const readBytes = (blob: Blob, onFailure?: (error: HoldfastError) => void): Promise<ArrayBuffer> =>
  tryAgain(() => readOnce(blob).catch(unreadable), onFailure)

/** @throws HoldfastError `payload-unreadable` */
export function unreadable(cause?: unknown): never {
  throw new HoldfastError('payload-unreadable', 'Its bytes cannot be read.', { cause })
}
