import { sha256Hex } from '../../../src/evidence/digest.ts'
import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { Upload } from '../../ports/transport.ts'

/** Whether these bytes, read back from the store, are the ones that were sent. */
export const isOurs = async (
  { sizeBytes, sha256 }: Upload,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<boolean> => bytes.byteLength === sizeBytes && (await sha256Hex(bytes)) === sha256

/** The store has other bytes under this upload's name. */
export const mismatch = ({ cid }: Upload, found: string): HoldfastError =>
  new HoldfastError('address-mismatch', `The store has ${found} for ${cid}.`)
