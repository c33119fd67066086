import type { SessionName, Sha256Hex } from '../protocol/ids.ts'
import { ByteReader } from './byte-reader.ts'
import { MAX_LOG_ENTRIES, MAX_PAGE_BYTES } from './limits.ts'
import { linkNumbers, PAGE_LABEL, type Page } from './page.ts'
import { setBits } from './tree.ts'

/**
 * The page that untrusted bytes are. `serialisePage` makes these bytes of it.
 *
 * Its entries are left as they are, for `parseEntry`; whether its digest and links are true is for the caller to check.
 *
 * @throws `bad-input` that names the first field that is wrong
 */
export function parsePage(bytes: Uint8Array): Page {
  const reader = new ByteReader('Page', bytes)
  if (bytes.length > MAX_PAGE_BYTES) reader.refuse('size', `at most ${MAX_PAGE_BYTES} bytes`)
  if (reader.text('label', PAGE_LABEL.length) !== PAGE_LABEL) reader.refuse('label', PAGE_LABEL)
  const name = reader.hex('name', 32) as SessionName
  const number = reader.uint('number', 4, 1)
  const from = reader.uint('from', 4)
  // Each page before it has at least one entry; before the first there are none.
  if (from < number - 1 || (number === 1 && from > 0)) reader.refuse('from', `that of a page ${number}`)
  const hashes = (field: string, count: number) =>
    Array.from({ length: count }, (_, at) => reader.hex(`${field}[${at}]`, 32) as Sha256Hex)
  const frontier = hashes('frontier', setBits(from))
  const links = hashes('links', linkNumbers(number).length)
  const entries = Array.from({ length: reader.uint('number of entries', 2, 1) }, (_, at) =>
    reader.bytes(`entries[${at}]`, reader.uint(`length of entries[${at}]`, 2)),
  )
  reader.end()
  if (from + entries.length > MAX_LOG_ENTRIES)
    reader.refuse('from', 'that of a log of less than 2^32 entries')
  return { name, number, from, frontier, links, entries }
}
