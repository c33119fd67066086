import type { Head } from '../evidence/head.ts'
import { linkNumbers } from '../evidence/page.ts'
import type { Sha256Hex } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import type { Pages } from './pages.ts'
import type { ReadPage } from './read-page.ts'
import { waitingPages } from './waiting-pages.ts'

export interface WalkOptions {
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

/**
 * Goes from heads to all pages that their own link to, several at a time; each page once, whatever leads there. Where a
 * nobody has the head's own page, from the page before it.
 *
 * @param pages those that were read before
 * @param read puts it there
 */
export function pageWalk(
  pages: Pages,
  read: (digest: Sha256Hex) => Promise<ReadPage | VerificationError>,
  { onPage, beginningFirst = false }: WalkOptions,
): (heads: readonly Head[]) => Promise<void> {
  const waiting = waitingPages(beginningFirst)
  const followed = new Set<Sha256Hex>()
  const previousOf = new Map<Sha256Hex, Set<Sha256Hex>>()
  let [count, ofAll] = [0, 0]
  const want = (digest: Sha256Hex, number?: number) => {
    if (!followed.has(digest)) waiting.add({ digest, number })
    followed.add(digest)
  }

  async function look(digest: Sha256Hex): Promise<void> {
    const found = await read(digest)
    const page = found instanceof VerificationError ? undefined : found
    count += 1
    ofAll = Math.max(ofAll, page?.number ?? 0)
    waiting.onRead(page)
    onPage?.({ read: count, ofAll: Math.max(count, ofAll) }, page)
    if (!page) for (const before of previousOf.get(digest) ?? []) want(before)
    else for (const [at, number] of linkNumbers(page.number).entries()) want(page.links[at]!, number)
  }

  return async (heads) => {
    for (const { page, previous } of heads) {
      want(page)
      if (!previous) continue
      // Any number of heads may name one page.
      const before = previousOf.get(page) ?? new Set()
      previousOf.set(page, before.add(previous))
      if (pages.get(page) instanceof VerificationError) want(previous)
    }
    const under = new Set<Promise<void>>()
    for (;;) {
      while (under.size < waiting.atATime()) {
        const digest = waiting.next()
        if (!digest) break
        const ended: Promise<void> = look(digest).finally(() => under.delete(ended))
        under.add(ended)
      }
      if (under.size === 0) return
      await Promise.race(under)
    }
  }
}
