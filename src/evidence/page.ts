import type { Cid, SessionName, Sha256Hex } from '../protocol/ids.ts'
import { concat, counted, fromHex, uint16be, uint32be, utf8 } from './bytes.ts'
import { rawBlockCid } from './cid.ts'
import { ENTRIES_BYTES } from './limits.ts'

/** Some entries of a log, as they are published. */
export interface Page {
  readonly name: SessionName
  /** From 1. */
  readonly number: number
  /** Position of its first entry. */
  readonly from: number
  /** Of the tree of the size `from`. */
  readonly frontier: readonly Sha256Hex[]
  /** Digests of the pages `linkNumbers(number)`. */
  readonly links: readonly Sha256Hex[]
  /** At least one. */
  readonly entries: readonly Uint8Array[]
}

/** What a page begins with. */
export const PAGE_LABEL = 'holdfast/page/v2'

/** As many of these entries as a page holds: notes may be long. */
export function fittingEntries<Entry extends Uint8Array>(entries: readonly Entry[]): Entry[] {
  let left = ENTRIES_BYTES
  return entries.filter(({ length }) => (left -= 2 + length) >= 0)
}

/** The pages that a page links to: each `number` - 2^k where 2^k divides 2 `number`, but for 0 and below. */
export function linkNumbers(number: number): number[] {
  const numbers: number[] = []
  for (let step = 1; (2 * number) % step === 0 && step < number; step *= 2) numbers.push(number - step)
  return numbers
}

/**
 * The one form in bytes that a page has; its digest is the SHA-256 of them.
 *
 * @throws `bad-input` for an entry of more than 65,535 bytes, or a number that its field does not hold
 */
export const serialisePage = (page: Page): Uint8Array<ArrayBuffer> =>
  concat(
    utf8(PAGE_LABEL),
    fromHex(page.name),
    uint32be(page.number),
    uint32be(page.from),
    fromHex([...page.frontier, ...page.links].join('')),
    uint16be(page.entries.length),
    ...page.entries.map(counted),
  )

/** Where the page with this digest lies: the CIDv1 of one raw block, whatever the store's layout. */
export const pageCid: (digest: Sha256Hex) => Cid = rawBlockCid
