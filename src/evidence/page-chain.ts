import type { Sha256Hex } from '../protocol/ids.ts'
import { linkNumbers } from './page.ts'

/** What is kept of the pages so far, so that later ones can link to them: the newest page of each level. */
export interface PageChain {
  /** Of the newest page; 0 before the first. */
  readonly number: number
  /** By level. */
  readonly digests: readonly Sha256Hex[]
}

export const EMPTY_CHAIN: PageChain = { number: 0, digests: [] }

/** How often 2 divides the number of a page, from 1 to below 2^32. */
const levelOf = (number: number) => 31 - Math.clz32(number & -number)

/** The digest of the newest page. */
export const newestOf = ({ number, digests }: PageChain): Sha256Hex | undefined => digests[levelOf(number)]

/** The links of the next page: each goes to the newest page of a level. */
export const linksOf = ({ number, digests }: PageChain): Sha256Hex[] =>
  linkNumbers(number + 1).map((to) => digests[levelOf(to)]!)

/** The chain with the next page, whose digest this is. */
export function withPage({ number, digests }: PageChain, digest: Sha256Hex): PageChain {
  const next = number + 1
  return { number: next, digests: Object.assign([...digests], { [levelOf(next)]: digest }) }
}
