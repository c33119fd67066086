import type { Group } from '../api.ts'
import { utf8 } from '../evidence/bytes.ts'
import { sha256Hex } from '../evidence/digest.ts'
import { jsonOf } from '../json-of.ts'
import type { Sha256Hex } from '../protocol/ids.ts'

/**
 * By which the same call for the same file is known again: what the browser says of the file, and what was asked for.
 * It tells nothing of the content, which is compared besides. Groups' public keys are in it, so that who has the device
 * alone cannot try names. What JSON does not know is refused when the session is begun.
 */
export function fingerprintOf(
  file: Blob,
  groups: readonly Group[],
  ...asked: readonly unknown[]
): Promise<Sha256Hex> {
  const { name = '', lastModified = 0 } = file as Partial<File>
  const readers = groups.map(({ publicKey }) => publicKey).sort()
  return sha256Hex(utf8(`${jsonOf([name, file.size, lastModified, file.type, readers, ...asked])}`))
}
