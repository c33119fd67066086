import type { SessionName, Sha256Hex } from '../protocol/ids.ts'
import { ByteReader } from './byte-reader.ts'
import { NO_HASH } from './entry.ts'
import { HEAD_LABEL, type SignedHead } from './head.ts'
import { MAX_LOG_ENTRIES } from './limits.ts'

/** Of a signed head as an object. */
export const SIGNED_HEAD_BYTES = 313

/**
 * The signed head that untrusted bytes are; `serialiseSignedHead` makes these bytes of it. Whether it holds is for
 * `verifyHead` to say.
 *
 * @throws `bad-input` that names the first field that is wrong
 */
export function parseSignedHead(bytes: Uint8Array): SignedHead {
  const reader = new ByteReader('Head', bytes)
  if (reader.text('label', HEAD_LABEL.length) !== HEAD_LABEL) reader.refuse('label', HEAD_LABEL)
  const hash = (field: string) => reader.hex(field, 32) as Sha256Hex
  const name = reader.hex('name', 32) as SessionName
  const size = reader.uint('size', 8, 1, MAX_LOG_ENTRIES)
  const root = hash('root')
  const page = hash('page')
  const previous = hash('previous')
  const groups = hash('groups')
  const end = reader.uint('end', 1, 0, 1) === 1
  const publicKey = reader.hex('public key', 64)
  const signature = reader.hex('signature', 64)
  reader.end()
  return {
    name,
    size,
    root,
    page,
    previous: previous === NO_HASH ? null : previous,
    groups,
    end,
    publicKey,
    signature,
  }
}
