import { sha256Hex } from '../evidence/digest.ts'
import type { Entry } from '../evidence/entry.ts'
import { parseEntry } from '../evidence/entry-parse.ts'
import { MAX_PAGE_BYTES } from '../evidence/limits.ts'
import { linkNumbers, pageCid, type Page } from '../evidence/page.ts'
import { parsePage } from '../evidence/page-parse.ts'
import type { Tree } from '../evidence/tree.ts'
import { fromHex, toHex } from '../evidence/bytes.ts'
import type { SessionName, Sha256Hex } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import { followersOf } from './followers.ts'
import type { FoundHead } from './heads.ts'
import { leafOf, rootOf, withLeaves, type LogTree } from './log-tree.ts'
import type { Objects } from './objects.ts'
import { orLate } from './or-late.ts'

/** An entry as a page has it. */
export interface PagedEntry {
  readonly entry: Entry
  /** Of the entry's bytes. */
  readonly leaf: Sha256Hex
}

/** A page that holds by itself: its digest, name, form, and each of its entries. */
export interface ReadPage {
  readonly digest: Sha256Hex
  readonly number: number
  readonly from: number
  /** The size of the log after it. */
  readonly to: number
  readonly links: readonly Sha256Hex[]
  readonly entries: readonly PagedEntry[]
  /** The tree before it, as the page says, and after it. */
  readonly before: Tree
  readonly after: Tree
  /** The root of the log at sizes from `from` to `to`, ascending. */
  rootsAt(sizes: readonly number[]): Sha256Hex[]
}

/** Every page that heads and links name: read, or why it cannot be fetched. */
export type Pages = ReadonlyMap<Sha256Hex, ReadPage | VerificationError>

/** Pages are small: more of them are asked for at a time than of anything else. */
export const PAGES_AT_A_TIME = 24

/** So many while the way to page 1 is looked for: a browser asks one host for six things at a time, and that is to be one. */
const ON_THE_WAY = 5

/** Once so many in a row got no answer of anyone, no more pages are asked for. */
const SILENCES = PAGES_AT_A_TIME

const LIST_TIMEOUT_MS = 2_000

/** Whether an entry is the last that a log can have. */
export const isComplete = (entry: Entry | undefined): boolean =>
  entry?.kind === 'end' && entry.how === 'complete'

/** The pages of a session, as far as they were followed. */
export interface PageReader {
  readonly pages: Pages
  /**
   * The newest of these signed heads, where fewer pages list its log than there are heads: then these are all that is
   * looked at first; undefined else. Its page is not waited for longer than 2 s: then it counts as none.
   */
  listsAll(heads: readonly FoundHead[]): Promise<FoundHead | undefined>
  /** Asks for the pages that these heads name, their own and the ones before, without waiting for them. */
  askAhead(heads: readonly FoundHead[]): void
  /**
   * Reads all pages, from those that these signed heads name along their links, several at a time. Where a head's own
   * page cannot be fetched, from the page before it.
   */
  follow(heads: readonly FoundHead[], options?: FollowOptions): Promise<void>
}

export interface FollowOptions {
  readonly onPage?: ((pages: PagesRead, page: ReadPage | undefined) => void) | undefined
  /** Those first that lead to page 1, then by rising numbers, as long as each holds. */
  readonly beginningFirst?: boolean | undefined
}

/** How many pages that lead to a log were looked at. */
export interface PagesRead {
  readonly read: number
  /** As far as is known: one that is read may tell of more. */
  readonly ofAll: number
}

/** @param signal ends what is asked for, beside what the signal of all objects does */
export function pageReader(objects: Objects, name: SessionName, signal: AbortSignal | undefined): PageReader {
  const pages = new Map<Sha256Hex, ReadPage | VerificationError>()
  const follow = followersOf(signal)
  let silent: VerificationError | undefined

  const read = async (digest: Sha256Hex): Promise<ReadPage | VerificationError> => {
    signal?.throwIfAborted()
    if (silent && objects.silences >= SILENCES) return silent
    const follower = follow()
    try {
      return await readPage(objects, name, digest, follower.signal)
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
      if (error.code === 'gateway-unreachable') silent = error
      return error
    } finally {
      follower.letGo()
    }
  }
  const asked = new Map<Sha256Hex, ReturnType<typeof read>>()
  const ask = (digest: Sha256Hex) => {
    const page = asked.get(digest) ?? read(digest)
    asked.set(digest, page)
    return page
  }
  const pageAt = async (digest: Sha256Hex) => {
    const page = await ask(digest)
    pages.set(digest, page)
    return page
  }

  return {
    pages,
    async listsAll(heads) {
      const signed = heads.filter(({ isSigned }) => isSigned)
      const newest = signed.at(-1)!
      const page = await orLate(LIST_TIMEOUT_MS, pageAt(newest.head.page))
      if (page === 'late' || page instanceof VerificationError) return undefined
      return page.number < signed.length ? newest : undefined
    },
    askAhead(heads) {
      for (const { head, isSigned } of heads)
        for (const digest of isSigned ? [head.page, head.previous] : [])
          // Whoever needs it waits for it.
          if (digest) ask(digest).catch(() => {})
    },
    async follow(heads, { onPage, beginningFirst = false } = {}) {
      const waiting = waitingPages(beginningFirst)
      const followed = new Set<Sha256Hex>()
      let [read, ofAll] = [0, 0]
      const previousOf = new Map<Sha256Hex, Set<Sha256Hex>>()
      const want = (digest: Sha256Hex, number?: number) => {
        if (!followed.has(digest)) waiting.add({ digest, number })
        followed.add(digest)
      }
      for (const { head, isSigned } of [...heads].reverse()) {
        if (!isSigned) continue
        want(head.page)
        if (!head.previous) continue
        // Any number of heads may name one page.
        const before = previousOf.get(head.page) ?? new Set()
        previousOf.set(head.page, before.add(head.previous))
      }
      const under = new Set<Promise<void>>()
      for (;;) {
        while (under.size < waiting.atATime()) {
          const digest = waiting.next()
          if (!digest) break
          const work = (async () => {
            const found = await pageAt(digest)
            const page = found instanceof VerificationError ? undefined : found
            read += 1
            ofAll = Math.max(ofAll, page?.number ?? 0)
            waiting.onRead(page)
            onPage?.({ read, ofAll: Math.max(read, ofAll) }, page)
            if (!page) for (const before of previousOf.get(digest) ?? []) want(before)
            else for (const [at, number] of linkNumbers(page.number).entries()) want(page.links[at]!, number)
          })()
          const ended: Promise<void> = work.finally(() => under.delete(ended))
          under.add(ended)
        }
        if (under.size === 0) return
        await Promise.race(under)
      }
    },
  }
}

interface WaitingPage {
  readonly digest: Sha256Hex
  /** Undefined where a head alone names it. */
  readonly number: number | undefined
}

/** Which page is asked for next, and how many at a time. */
function waitingPages(beginningFirst: boolean) {
  const waiting: WaitingPage[] = []
  let atATime = beginningFirst ? ON_THE_WAY : PAGES_AT_A_TIME
  let isOnTheWay = beginningFirst
  const rank = ({ number = 1 }: WaitingPage) => (isOnTheWay ? roundsTo(number) : number)
  return {
    add: (page: WaitingPage) => void waiting.push(page),
    next(): Sha256Hex | undefined {
      if (!beginningFirst) return waiting.shift()?.digest
      let best = 0
      for (let at = 1; at < waiting.length; at++) if (rank(waiting[at]!) < rank(waiting[best]!)) best = at
      return waiting.splice(best, 1)[0]?.digest
    },
    atATime: () => atATime,
    onRead(page: ReadPage | undefined): void {
      if (!page || page.number === 1) isOnTheWay = false
      // One more with each, so that the first chunk does not stand behind all of them.
      if (!isOnTheWay) atATime = Math.min(PAGES_AT_A_TIME, atATime + 1)
    },
  }
}

/** Rounds from a page along the links to page 1: each takes off the lowest bit of its number, or half of the only one. */
function roundsTo(number: number): number {
  let bits = -1
  for (let rest = number; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2
  return bits + Math.floor(Math.log2(number))
}

async function readPage(
  objects: Objects,
  name: SessionName,
  digest: Sha256Hex,
  signal: AbortSignal,
): Promise<ReadPage> {
  const cid = pageCid(digest)
  const fetched = await objects.fetch({
    cid,
    kind: 'page',
    what: `Page ${cid}`,
    maxBytes: MAX_PAGE_BYTES,
    signal,
    async wrong(bytes) {
      const found = await sha256Hex(bytes)
      return found === digest ? undefined : `the digest should be ${digest}, found ${found}`
    },
    codes: { missing: 'page-missing', wrong: 'page-address' },
    steps: { fetching: 'fetching the pages', checking: 'checking the log' },
  })
  if (fetched.kind === 'failed') throw fetched.error
  const failure = (what: string, cause?: unknown) =>
    new VerificationError('page-malformed', 'checking the log', `Page ${cid}: ${what}`, { cause })
  let page: Page
  let entries: Entry[]
  try {
    page = parsePage(fetched.bytes)
    entries = page.entries.map(parseEntry)
  } catch (cause) {
    throw failure(cause instanceof Error ? cause.message : String(cause), cause)
  }
  if (page.name !== name) throw failure(`it should be of ${name}, found ${page.name}`)
  for (const [at, entry] of entries.entries()) {
    const position = page.from + at
    if ((entry.kind === 'session') !== (position === 0))
      throw failure(`a session entry stands first and nowhere else, not at ${position}`)
    if (isComplete(entry) && at + 1 < entries.length)
      throw failure(`the end at ${position} should be the last entry`)
  }
  return readPageOf(digest, page, entries)
}

function readPageOf(digest: Sha256Hex, page: Page, entries: readonly Entry[]): ReadPage {
  const { number, from, links, frontier } = page
  const leaves = page.entries.map(leafOf)
  const before: LogTree = { size: from, frontier: frontier.map(fromHex) }
  const after = withLeaves(before, leaves)
  return {
    digest,
    number,
    from,
    to: after.size,
    links,
    entries: entries.map((entry, at) => ({ entry, leaf: toHex(leaves[at]!) as Sha256Hex })),
    before: { size: from, frontier },
    after: { size: after.size, frontier: after.frontier.map(toHex) as Sha256Hex[] },
    rootsAt(sizes) {
      let tree = before
      return sizes.map((size) => {
        tree = withLeaves(tree, leaves.slice(tree.size - from, size - from))
        return rootOf(tree)
      })
    },
  }
}
