import type { Sha256Hex } from '../protocol/ids.ts'
import { linkNumbers } from './page.ts'
import { setBits } from './tree.ts'

/**
 * What is kept of the pages so far, so that later ones can link to them: as in a Fenwick tree, one page for each bit of
 * `number` that is set. Of page 22, in binary 10110, they are 10000, 10100 and 10110.
 */
export interface PageChain {
  /** Of the newest page; 0 before the first. */
  readonly number: number
  /** Oldest first. */
  readonly digests: readonly Sha256Hex[]
}

export const EMPTY_CHAIN: PageChain = { number: 0, digests: [] }

/** The links of the next page. */
export const linksOf = ({ number, digests }: PageChain): Sha256Hex[] =>
  [...digests].reverse().slice(0, linkNumbers(number + 1).length)

/** The chain with the next page, whose digest this is. */
export function withPage({ number, digests }: PageChain, digest: Sha256Hex): PageChain {
  const next = number + 1
  return { number: next, digests: [...digests.slice(0, setBits(next) - 1), digest] }
}
