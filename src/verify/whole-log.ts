import { groupsDigest, type Head } from '../evidence/head.ts'
import { contradictionWithin } from './contradictions.ts'
import type { FoundHead } from './heads.ts'
import type { Pages } from './pages.ts'
import { pauses, type Pause } from './pauses.ts'
import { isComplete } from './read-page.ts'
import { firstFrom, pageOf, rootsIn, viewAfter, viewOf, type View } from './view.ts'

/**
 * A head that says all of the log up to it: all pages of its view could be fetched, and give each head before it: its
 * root, end and groups. Nothing is to be learnt from the pages of those then.
 */
export interface WholeLog {
  /** The heads up to it, and it. */
  readonly found: readonly FoundHead[]
  readonly view: View
}

/** The log by the newest signed head; undefined where that does not say all of it. */
export async function newestWhole(found: readonly FoundHead[], pages: Pages): Promise<WholeLog | undefined> {
  const signed = found.filter(({ isSigned }) => isSigned)
  const newest = signed.at(-1)
  if (!newest) return undefined
  const { head } = newest
  const heads = signed.map((one) => one.head)
  const view = viewOf(head, pages)
  if (!isWhole(view, head, pages) || (await givenBy(view, heads, 0, pauses())) !== heads.length)
    return undefined
  return { found: found.slice(0, found.indexOf(newest) + 1), view }
}

/**
 * The log by the last head that says all of it.
 *
 * @param maxLooks of pages and heads: those after it are not tried
 */
export async function longestWhole(
  found: readonly FoundHead[],
  pages: Pages,
  maxLooks: number,
): Promise<WholeLog | undefined> {
  const pause = pauses()
  const heads: Head[] = []
  let longest: WholeLog | undefined
  let last: View | undefined
  /** How many heads the last view gives; undefined where it contradicts one. */
  let given: number | undefined
  let looks = 0
  for (const [at, { head, isSigned }] of found.entries()) {
    if (looks > maxLooks) break
    if (!isSigned) continue
    heads.push(head)
    const view = (last && viewAfter(last, head, pages)) ?? viewOf(head, pages)
    if (view.contradiction) continue
    // What it goes on from gives the same heads.
    const known = last && view.shared === last.pages.length ? given : 0
    last = view
    given = known === undefined ? undefined : await givenBy(view, heads, known, pause)
    looks += view.pages.length - view.shared + heads.length - (known ?? heads.length)
    if (given === heads.length && isWhole(view, head, pages))
      longest = { found: found.slice(0, at + 1), view }
  }
  return longest
}

const isWhole = (view: View, head: Head, pages: Pages): boolean => {
  const own = pageOf(pages, head.page)
  return (
    own !== undefined &&
    view.lost.size === 0 &&
    view.contradiction === undefined &&
    contradictionWithin(view, head, own) === undefined
  )
}

/**
 * How many of these heads say what this log was at their size; undefined where one says anything else.
 *
 * @param known of so many it is known, from the first on
 */
async function givenBy(
  { pages }: View,
  heads: readonly Head[],
  known: number,
  pause: Pause,
): Promise<number | undefined> {
  const first = pages[0]?.entries[0]?.entry
  if (first?.kind !== 'session') return undefined
  const digest = await groupsDigest(first.groups)
  const end = pages.at(-1)!.to
  const within = heads.slice(
    known,
    firstFrom(heads, ({ size }) => size > end),
  )
  const roots = await rootsIn(
    pages,
    within.map(({ size }) => size),
    pause,
  )
  const isEach = within.every(
    (head, at) => head.root === roots[at] && head.groups === digest && head.end === endsAt(pages, head.size),
  )
  return isEach ? known + within.length : undefined
}

/** Whether the entry before this position is the end of a complete recording. */
function endsAt(pages: View['pages'], size: number): boolean {
  const page = pages[firstFrom(pages, ({ to }) => to >= size)]
  return isComplete(page?.entries[size - 1 - page.from]?.entry)
}
