import type { Head } from '../evidence/head.ts'
import { linkNumbers } from '../evidence/page.ts'
import type { Sha256Hex } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import type { Pause } from './pauses.ts'
import type { Pages } from './pages.ts'
import { isComplete, type ReadPage } from './read-page.ts'

/** The log as one head has it: the pages that are found from its own along the links. */
export interface View {
  /** Those that could be fetched, by ascending number. */
  readonly pages: readonly ReadPage[]
  /** The digests of those that cannot, by number. */
  readonly lost: ReadonlyMap<number, Sha256Hex>
  /** Why these pages cannot be one log. */
  readonly contradiction: string | undefined
  /** So many of its pages, the first, are those of the view that it goes on from. */
  readonly shared: number
}

export const pageOf = (pages: Pages, digest: Sha256Hex | null): ReadPage | undefined => {
  const found = digest === null ? undefined : pages.get(digest)
  return found instanceof VerificationError ? undefined : found
}

/** What a head's pages say, as far as they can be fetched. */
export function viewOf(head: Head, pages: Pages): View {
  const digests = new Map<number, Sha256Hex>()
  const lost = new Map<number, Sha256Hex>()
  const found = new Set<ReadPage>()
  let contradiction: string | undefined
  const start = pageOf(pages, head.page) ? head.page : head.previous
  const waiting: { digest: Sha256Hex; expected?: number }[] = start ? [{ digest: start }] : []
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { digest, expected } = next
    const page = pageOf(pages, digest)
    const number = page?.number ?? expected
    if (number === undefined) continue
    if (expected !== undefined && number !== expected)
      contradiction ??= `the link to page ${expected} leads to page ${number}`
    const known = digests.get(number)
    if (known !== undefined && known !== digest) contradiction ??= `two pages have the number ${number}`
    digests.set(number, digest)
    if (!page) lost.set(number, digest)
    // What contradicts itself is shown whole, each page once.
    if (!page || found.has(page)) continue
    found.add(page)
    // The nearest first, as they stand
    const linked = linkNumbers(number).map((to, at) => ({ digest: page.links[at]!, expected: to }))
    waiting.push(...linked.reverse())
  }
  const inOrder = [...found].sort((a, b) => a.number - b.number)
  for (const [at, page] of inOrder.entries()) contradiction ??= contradictionBetween(inOrder[at - 1], page)
  return { pages: inOrder, lost, contradiction, shared: 0 }
}

/** Why a page cannot come after this one, pages between them that cannot be fetched allowed for. */
function contradictionBetween(before: ReadPage | undefined, page: ReadPage): string | undefined {
  const end = before?.to ?? 0
  const between = page.number - (before?.number ?? 0) - 1
  if (between === 0 ? page.from !== end : page.from < end + between)
    return `page ${page.number} begins at ${page.from}, and the one before ends at ${end}`
  if (between === 0 && page.before.frontier.join() !== (before?.after.frontier.join() ?? ''))
    return `page ${page.number} says another tree than the pages before it have`
  if (isComplete(before?.entries.at(-1)?.entry)) return `page ${page.number} comes after the end`
  return undefined
}

/**
 * The view of a later head, where it goes on from a page of this view; undefined where more has to be looked at. So a log of
 * many heads is gone through once, whatever of it is lost.
 */
export function viewAfter(view: View, head: Head, pages: Pages): View | undefined {
  const start = pageOf(pages, head.page) ?? pageOf(pages, head.previous)
  if (view.contradiction || !start) return undefined
  const fresh: ReadPage[] = []
  const lost = new Map<number, Sha256Hex>()
  const digests = new Map<number, Sha256Hex>()
  const waiting = [{ number: start.number, digest: start.digest }]
  /** The number of the last page that both have. */
  let shared = 0
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { number, digest } = next
    if (digestIn(view, number) === digest) {
      shared = Math.max(shared, number)
      continue
    }
    const known = digests.get(number)
    if (known !== undefined && known !== digest) return undefined
    if (known !== undefined) continue
    digests.set(number, digest)
    const page = pageOf(pages, digest)
    if (!page) lost.set(number, digest)
    else if (page.number !== number) return undefined
    else {
      fresh.push(page)
      for (const [at, to] of linkNumbers(number).entries())
        waiting.push({ number: to, digest: page.links[at]! })
    }
  }
  const common = firstFrom(view.pages, ({ number }) => number > shared)
  const last = view.pages[common - 1]
  // Before the end of this view its pages are those that are found from one of them only where none is lost.
  const isOnesOwn = common === view.pages.length || common === shared
  if (last?.number !== shared || !isOnesOwn || [...digests.keys()].some((number) => number <= shared))
    return undefined
  fresh.sort((one, other) => one.number - other.number)
  if (!fresh.every((page, at) => !contradictionBetween(fresh[at - 1] ?? last, page))) return undefined
  const before = common === view.pages.length ? view.lost : new Map<number, Sha256Hex>()
  return {
    pages: [...view.pages.slice(0, common), ...fresh],
    lost: lost.size === 0 ? before : new Map([...before, ...lost]),
    contradiction: undefined,
    shared: common,
  }
}

/** The pages that are found from a head's own, but those that are known, with all that these lead to. */
export function pagesBeside(
  isKnown: (page: ReadPage) => boolean,
  { page, previous }: Head,
  pages: Pages,
): readonly ReadPage[] {
  const found = new Set<ReadPage>()
  const waiting = [pageOf(pages, page) ?? pageOf(pages, previous)]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (!next || isKnown(next) || found.has(next)) continue
    found.add(next)
    for (const digest of next.links) waiting.push(pageOf(pages, digest))
  }
  return [...found].sort((one, other) => one.number - other.number)
}

/** Of the page that a view has under a number. */
function digestIn({ pages, lost }: View, number: number): Sha256Hex | undefined {
  const at = firstFrom(pages, (page) => page.number >= number)
  return pages[at]?.number === number ? pages[at].digest : lost.get(number)
}

/** Where the first of these stands for which, and for all after it, this holds. */
export function firstFrom<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (holds(items[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}

/** The roots of the log of these pages, of rising numbers, at these sizes, ascending; undefined where they do not give one. */
export async function rootsIn(
  pages: readonly ReadPage[],
  sizes: readonly number[],
  pause: Pause,
): Promise<readonly (Sha256Hex | undefined)[]> {
  const roots: (Sha256Hex | undefined)[] = []
  while (roots.length < sizes.length) {
    const first = sizes[roots.length]!
    const page = pages[firstFrom(pages, ({ to }) => to >= first)]
    if (!page || page.from > first) {
      roots.push(undefined)
      continue
    }
    let end = roots.length + 1
    while (end < sizes.length && sizes[end]! <= page.to) end++
    for (const root of page.rootsAt(sizes.slice(roots.length, end))) roots.push(root)
    await pause()
  }
  return roots
}
