import { fromHex } from '../evidence/bytes.ts'
import { sha256Hex } from '../evidence/digest.ts'
import type { Entry } from '../evidence/entry.ts'
import { parseEntry } from '../evidence/entry-parse.ts'
import { flatHex } from '../evidence/flat-hex.ts'
import { MAX_PAGE_BYTES } from '../evidence/limits.ts'
import { pageCid, type Page } from '../evidence/page.ts'
import { parsePage } from '../evidence/page-parse.ts'
import type { Tree } from '../evidence/tree.ts'
import type { SessionName, Sha256Hex } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import { leafOf, rootOf, withLeaves, type LogTree } from './log-tree.ts'
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
  readonly sizeBytes: number
  /** The tree before it, as the page says, and after it. */
  readonly before: Tree
  readonly after: Tree
  /** The root of the log at sizes from `from` to `to`, ascending. */
  rootsAt(sizes: readonly number[]): Sha256Hex[]
}

/** Whether an entry is the last that a log can have. */
export const isComplete = (entry: Entry | undefined): boolean =>
  entry?.kind === 'end' && entry.how === 'complete'

/** @throws VerificationError with `page-missing`, `page-address`, `page-malformed` or `gateway-unreachable`; the signal's reason */
export async function readPage(
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
  return readPageOf(digest, page, entries, fetched.bytes.length)
}

function readPageOf(digest: Sha256Hex, page: Page, entries: readonly Entry[], sizeBytes: number): ReadPage {
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
    entries: entries.map((entry, at) => ({ entry, leaf: flatHex(leaves[at]!) as Sha256Hex })),
    sizeBytes,
    before: { size: from, frontier },
    after: { size: after.size, frontier: after.frontier.map(flatHex) as Sha256Hex[] },
    rootsAt(sizes) {
      let tree = before
      return sizes.map((size) => {
        tree = withLeaves(tree, leaves.slice(tree.size - from, size - from))
        return rootOf(tree)
      })
    },
  }
}
