import { sha256Hex } from '../evidence/digest.ts'
import type { Entry } from '../evidence/entry.ts'
import { parseEntry } from '../evidence/entry-parse.ts'
import { MAX_PAGE_BYTES, pageCid, type Page } from '../evidence/page.ts'
import { parsePage } from '../evidence/page-parse.ts'
import { appendEntries, leafHash, rootOf, type Tree } from '../evidence/tree.ts'
import type { SessionName, Sha256Hex } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import type { FoundHead } from './heads.ts'
import type { Objects } from './objects.ts'

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
  /** The root of the log at a size from `from` to `to`. */
  rootAt(size: number): Promise<Sha256Hex>
}

/** Every page that heads and links name: read, or why it cannot be had. */
export type Pages = ReadonlyMap<Sha256Hex, ReadPage | VerificationError>

/** Pages are small: more of them are asked for at a time than of anything else. */
export const PAGES_AT_A_TIME = 24

/** Once so many in a row got no answer of anyone, no more pages are asked for. */
const SILENCES = PAGES_AT_A_TIME

/** Whether an entry is the last that a log can have. */
export const isComplete = (entry: Entry | undefined): boolean =>
  entry?.kind === 'end' && entry.how === 'complete'

/**
 * Reads all pages, from those that the signed heads name along their links, several at a time. Where a head's own page
 * cannot be had, from the page before it.
 *
 * @param onPage called with the number of pages read so far
 */
export async function readPages(
  objects: Objects,
  name: SessionName,
  heads: readonly FoundHead[],
  onPage: (pagesRead: number) => void,
): Promise<Pages> {
  const pages = new Map<Sha256Hex, ReadPage | VerificationError>()
  const waiting: Sha256Hex[] = []
  const asked = new Set<Sha256Hex>()
  const previousOf = new Map<Sha256Hex, Sha256Hex[]>()
  const want = (digest: Sha256Hex) => {
    if (!asked.has(digest)) waiting.push(digest)
    asked.add(digest)
  }
  let silent: VerificationError | undefined

  const read = async (digest: Sha256Hex): Promise<ReadPage | VerificationError> => {
    if (silent && objects.silences >= SILENCES) return silent
    try {
      return await readPage(objects, name, digest)
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
      if (error.code === 'gateway-unreachable') silent = error
      return error
    }
  }

  for (const { head, isSigned } of heads) {
    if (!isSigned) continue
    want(head.page)
    if (head.previous) previousOf.set(head.page, [...(previousOf.get(head.page) ?? []), head.previous])
  }
  waiting.reverse() // the newest first
  const under = new Set<Promise<void>>()
  while (waiting.length > 0 || under.size > 0) {
    while (waiting.length > 0 && under.size < PAGES_AT_A_TIME) {
      const digest = waiting.shift()!
      const work = (async () => {
        const found = await read(digest)
        pages.set(digest, found)
        onPage(pages.size)
        for (const next of found instanceof VerificationError ? (previousOf.get(digest) ?? []) : found.links)
          want(next)
      })()
      const ended: Promise<void> = work.finally(() => under.delete(ended))
      under.add(ended)
    }
    await Promise.race(under)
  }
  return pages
}

async function readPage(objects: Objects, name: SessionName, digest: Sha256Hex): Promise<ReadPage> {
  const cid = pageCid(digest)
  const fetched = await objects.fetch({
    cid,
    kind: 'page',
    what: `Page ${cid}`,
    maxBytes: MAX_PAGE_BYTES,
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
  const leaves = await Promise.all(page.entries.map(leafHash))
  return readPageOf(digest, page, entries, leaves)
}

async function readPageOf(
  digest: Sha256Hex,
  page: Page,
  entries: readonly Entry[],
  leaves: readonly Sha256Hex[],
): Promise<ReadPage> {
  const { number, from, links, frontier } = page
  const before: Tree = { size: from, frontier }
  const after = await appendEntries(before, page.entries)
  return {
    digest,
    number,
    from,
    to: after.size,
    links,
    entries: entries.map((entry, at) => ({ entry, leaf: leaves[at]! })),
    before,
    after,
    rootAt: async (size) =>
      rootOf(size === after.size ? after : await appendEntries(before, page.entries.slice(0, size - from))),
  }
}
