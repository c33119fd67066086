import { equalBytes, toHex } from '../../src/evidence/bytes.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { parseEntry } from '../../src/evidence/entry-parse.ts'
import { serialiseEntry, type ChunkEntry, type Entry } from '../../src/evidence/entry.ts'
import { groupsDigest, verifyHead } from '../../src/evidence/head.ts'
import { EMPTY_CHAIN, linksOf, withPage, type PageChain } from '../../src/evidence/page-chain.ts'
import { parsePage } from '../../src/evidence/page-parse.ts'
import { pageCid, serialisePage, type Page } from '../../src/evidence/page.ts'
import { appendEntries, EMPTY_TREE, rootOf, type Tree } from '../../src/evidence/tree.ts'
import type { SessionName, Sha256Hex } from '../../src/protocol/ids.ts'
import type { SignedHead } from '../../sw/ports/anchor.ts'

/** What a reader finds from a head alone. */
export interface PublishedLog {
  readonly entries: readonly Entry[]
  /** Addresses of all its pages, oldest first. */
  readonly pages: readonly string[]
  /** The size of the log after each page. */
  readonly sizes: readonly number[]
}

/** A page that was never sent: nothing can be read from there on. */
export class PageNeverSent extends Error {
  readonly cid: string

  constructor(cid: string) {
    super(`its page ${cid} was never sent`)
    this.cid = cid
  }
}

/** A log up to the end of one of its pages. */
interface LogTo extends PublishedLog {
  readonly name: SessionName
  readonly tree: Tree
  readonly chain: PageChain
}

const EMPTY = { entries: [], pages: [], sizes: [], tree: EMPTY_TREE, chain: EMPTY_CHAIN } as const

/**
 * A reader of published logs. It reads the log that a head says, page by page, and checks all that the format demands of
 * it. A page says by its digest what it and all before it hold, so each is read once.
 *
 * @param bytesOf what was ever sent under an address
 * @returns rejects with PageNeverSent, or an Error that names what is wrong
 */
export function publishedLogs(
  bytesOf: (cid: string) => Uint8Array<ArrayBuffer> | undefined,
): (head: SignedHead) => Promise<PublishedLog> {
  const read = new Map<Sha256Hex, Promise<LogTo>>()

  const logTo = (digest: Sha256Hex): Promise<LogTo> => {
    const known = read.get(digest)
    if (known !== undefined) return known
    const log = readTo(digest)
    read.set(digest, log)
    // What was never sent may be sent yet.
    log.catch(() => read.delete(digest))
    return log
  }

  async function readTo(digest: Sha256Hex): Promise<LogTo> {
    const cid = pageCid(digest)
    const bytes = bytesOf(cid)
    if (bytes === undefined) throw new PageNeverSent(cid)
    demand((await sha256Hex(bytes)) === digest, 'a page has other bytes than its address says')
    const page = parsePage(bytes)
    demand(equalBytes(serialisePage(page), bytes), 'a page is not in its one form')
    const [previous = null] = page.links
    const before = previous === null ? { ...EMPTY, name: page.name } : await logTo(previous)
    const { number, from } = page
    demand(page.name === before.name, `its page ${number} is another session's`)
    demand(number === before.chain.number + 1, `its page ${number} comes after ${before.chain.number}`)
    demand(from === before.tree.size, `its page ${number} begins at ${from}, not ${before.tree.size}`)
    demand(isSame(page.frontier, before.tree.frontier), `its page ${number} has another frontier`)
    demand(isSame(page.links, linksOf(before.chain)), `its page ${number} has other links`)
    return {
      name: page.name,
      tree: await appendEntries(before.tree, page.entries),
      chain: withPage(before.chain, digest),
      entries: [...before.entries, ...page.entries.map(entryOf)],
      pages: [...before.pages, cid],
      sizes: [...before.sizes, from + page.entries.length],
    }
  }

  return async (head) => {
    demand(await verifyHead(head, head.publicKey, head.signature), 'its signature does not hold')
    const log = await logTo(head.page)
    const { tree, entries } = log
    demand(log.name === head.name, `its page ${log.chain.number} is another session's`)
    demand(tree.size === head.size, `its pages have ${tree.size} entries, not ${head.size}`)
    demand((await rootOf(tree)) === head.root, 'its root is not that of its pages')
    checkPrevious(head, bytesOf)
    const [first, ...rest] = entries
    demand(
      first?.kind === 'session' && rest.every(({ kind }) => kind !== 'session'),
      'it has no one beginning',
    )
    if (first?.kind !== 'session') throw new Error('it has no beginning')
    demand(first.publicKey === head.publicKey, 'it begins with another key')
    demand((await groupsDigest(first.groups)) === head.groups, 'it says other groups than it begins with')
    const complete = entries.map((entry) => entry.kind === 'end' && entry.how === 'complete')
    demand(!complete.slice(0, -1).includes(true), 'something follows its complete end')
    demand(complete.at(-1) === head.end, 'it does not say whether it has ended')
    return log
  }
}

/** The entry that counts of this chunk, and where it is. */
export const chunkEntryOf = ({ entries }: PublishedLog, index: number): [number, ChunkEntry] | undefined => {
  const at = entries.findIndex((entry) => entry.kind === 'chunk' && entry.index === index)
  const entry = entries[at]
  return entry?.kind === 'chunk' ? [at, entry] : undefined
}

/**
 * The page before its own is the last that its log had before: where its own is a full one, that is one of the small ones
 * of which it has the entries.
 */
function checkPrevious(
  { page, previous }: SignedHead,
  bytesOf: (cid: string) => Uint8Array<ArrayBuffer> | undefined,
): void {
  const end = ({ from, entries }: Page) => from + entries.length
  const own = parsePage(bytesOf(pageCid(page))!)
  const bytes = previous === null ? undefined : bytesOf(pageCid(previous))
  if (previous !== null && bytes === undefined) throw new PageNeverSent(pageCid(previous))
  const before = bytes && parsePage(bytes)
  const isTrue = before
    ? before.name === own.name && own.from <= end(before) && end(before) < end(own)
    : previous === null && own.from === 0
  demand(isTrue, 'it names another page before its own')
  if (!before) return
  // Of what both list they say the same.
  const from = Math.max(own.from, before.from)
  const shared = (page: Page) => page.entries.slice(from - page.from, end(before) - page.from).map(toHex)
  demand(isSame(shared(own), shared(before)), 'its own page and the one before list other entries')
}

function entryOf(bytes: Uint8Array): Entry {
  const entry = parseEntry(bytes)
  demand(Buffer.from(serialiseEntry(entry)).equals(bytes), 'an entry is not in its one form')
  return entry
}

const isSame = (a: readonly string[], b: readonly string[]) => a.join() === b.join()

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
