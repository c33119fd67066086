import { READ_MS_PER_BYTE, READ_TIMEOUT_MS } from './timeouts.ts'
import { within } from './within.ts'

/**
 * All bytes of a Blob, in a time that grows with them.
 *
 * @throws where they cannot be read, are not as many as it says (a file that is cut short meanwhile), or take too long
 */
export async function readOnce(blob: Blob): Promise<ArrayBuffer> {
  const timeoutMs = READ_TIMEOUT_MS + READ_MS_PER_BYTE * blob.size
  const bytes = await within(timeoutMs, undefined, () => blob.arrayBuffer())
  if (bytes.byteLength !== blob.size) throw new RangeError()
  return bytes
}
