import { bad } from '../bad-input.ts'
import { utf8 } from '../evidence/bytes.ts'
import { sha256Hex } from '../evidence/digest.ts'
import { HoldfastError } from '../protocol/errors.ts'
import type { Sha256Hex } from '../protocol/ids.ts'
import type { UploadOptions } from './upload.ts'

/**
 * By which the same call for the same file is known again: what the browser says of the file, and what was asked for.
 * It tells nothing of the content, which is compared besides. Groups' public keys are in it, so that who has the device
 * alone cannot try names.
 *
 * @throws HoldfastError `bad-input` for metadata that JSON does not know
 */
export async function fingerprintOf(
  file: Blob,
  { groups, metadata, labels, stores, atLeast }: UploadOptions,
  partBytes: number,
): Promise<Sha256Hex> {
  const { name = '', lastModified = 0 } = file as Partial<File>
  const readers = groups.map(({ publicKey }) => publicKey).sort()
  const asked = [readers, metadata, labels, stores, atLeast, partBytes]
  try {
    return await sha256Hex(utf8(JSON.stringify([name, file.size, lastModified, file.type, ...asked])))
  } catch (error) {
    throw bad('metadata', HoldfastError.from(error).message)
  }
}
