import type { SessionName, Sha256Hex } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import { followersOf } from './followers.ts'
import type { FoundHead } from './heads.ts'
import type { Objects } from './objects.ts'
import { orLate } from './or-late.ts'
import { pageWalk, type WalkOptions } from './page-walk.ts'
import { readPage, type ReadPage } from './read-page.ts'
import { PAGES_AT_A_TIME } from './waiting-pages.ts'

/** Every page that heads and links name: read, or why it cannot be fetched. */
export type Pages = ReadonlyMap<Sha256Hex, ReadPage | VerificationError>

/** Once this many in a row got no answer from anyone, no more pages are asked for. */
const SILENCES = PAGES_AT_A_TIME

const LIST_TIMEOUT_MS = 2_000

/** How much a reader takes in of one session's pages, altogether. */
export interface PagesBound {
  /** A page that nobody has counts as one. */
  readonly entries: number
  readonly bytes: number
}

/** Whoever has the key can sign for pages without end. Chunks of 3 s reach it in nine days. */
const PAGES_BOUND: PagesBound = { entries: 2 ** 18, bytes: 2 ** 27 }

/** The pages of a session, as far as they were followed. */
export interface PageReader {
  readonly pages: Pages
  /** Why not all are read, where there are more than the bound lets in. */
  readonly cutOff: VerificationError | undefined
  /**
   * The newest of these signed heads, where fewer pages list its log than there are heads: then these are all that is
   * looked at first; undefined else. Its page is not waited for longer than 2 s: then it counts as none.
   */
  listsAll(heads: readonly FoundHead[]): Promise<FoundHead | undefined>
  /** Asks for these pages without waiting for them. */
  askAhead(digests: readonly Sha256Hex[]): void
  /**
   * Reads all pages, from those that these signed heads name along their links, several at a time. Where a head's own
   * page cannot be fetched, from the page before it.
   */
  follow(heads: readonly FoundHead[], options?: WalkOptions): Promise<void>
  /**
   * The same, all pages of a head before those of the next one, so that none of a later head leaves out one of an earlier.
   *
   * @returns of how many heads they are read before there are too many
   */
  followInOrder(heads: readonly FoundHead[], options?: WalkOptions): Promise<number>
}

/** @param signal ends what is asked for, beside what the signal of all objects does */
export function pageReader(
  objects: Objects,
  name: SessionName,
  signal: AbortSignal | undefined,
  bound: PagesBound = PAGES_BOUND,
): PageReader {
  const pages = new Map<Sha256Hex, ReadPage | VerificationError>()
  const follow = followersOf(signal)
  const left = { ...bound }
  let silent: VerificationError | undefined
  let cutOff: VerificationError | undefined

  const read = async (digest: Sha256Hex): Promise<ReadPage | VerificationError> => {
    signal?.throwIfAborted()
    if (left.entries <= 0 || left.bytes <= 0) return (cutOff ??= beyond(bound))
    if (silent && objects.silences >= SILENCES) return silent
    const follower = follow()
    try {
      const page = await readPage(objects, name, digest, follower.signal)
      left.entries -= page.entries.length
      left.bytes -= page.sizeBytes
      return page
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
      left.entries -= 1
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
    if (page !== cutOff) pages.set(digest, page)
    return page
  }

  const askAhead = (digests: readonly Sha256Hex[]) => {
    // Whoever needs it waits for it.
    for (const digest of digests) ask(digest).catch(() => {})
  }

  return {
    pages,
    get cutOff() {
      return cutOff
    },
    async listsAll(heads) {
      const signed = heads.filter(({ isSigned }) => isSigned)
      const newest = signed.at(-1)!
      const page = await orLate(LIST_TIMEOUT_MS, pageAt(newest.head.page))
      if (page === 'late' || page instanceof VerificationError) return undefined
      return page.number < signed.length ? newest : undefined
    },
    askAhead,
    async follow(heads, options = {}) {
      const signed = heads.filter(({ isSigned }) => isSigned).map(({ head }) => head)
      await pageWalk(pages, pageAt, options)(signed.reverse())
    },
    async followInOrder(heads, options = {}) {
      const walk = pageWalk(pages, pageAt, options)
      for (const [at, { head, isSigned }] of heads.entries()) {
        if (!isSigned) continue
        askAhead(heads.slice(at, at + PAGES_AT_A_TIME).flatMap((one) => (one.isSigned ? one.head.page : [])))
        await walk([head])
        if (cutOff) return pages.has(head.page) ? at + 1 : at
      }
      return heads.length
    },
  }
}

const beyond = ({ entries, bytes }: PagesBound) =>
  new VerificationError(
    'page-malformed',
    'checking the log',
    `There are more pages than are read, those of ${entries} entries or ${bytes} bytes; those of the first heads come first`,
  )
