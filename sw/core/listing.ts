import { MAX_PAGE_ENTRIES } from '../../src/evidence/limits.ts'
import { effortDueMs } from './effort.ts'
import type { Listed, SessionRecord } from './record.ts'
import { isEmpty } from './session.ts'

// A session's log is published in pages, one at a time: each takes all entries that no page has yet. While there are
// none, the store is asked again for pages whose proof is old.
//
// Once what was listed since the last full page makes another full one, together with what is new, the next page is that,
// and takes the place of the small ones. So few pages list the whole log, at any moment.

/**
 * What the page that brings a log to this size follows on: the last page, or the last full one where it makes the next.
 * Where that is too long for a page it is not made, and what is listed by then counts as full.
 * Four full pages have one entry more each than the four before, so that a log of n entries has the root of 8n of them at
 * most, and a quarter of that in small ones after them. What came in pages of eight entries or more is left as it is.
 *
 * @param from where the page begins, once that is fixed
 */
export function pageBefore(listed: Listed, size: number, from?: number): Listed {
  const { full = listed } = listed
  const [entries, pages] = [listed.tree.size - full.tree.size, listed.pages.number - full.pages.number]
  if (size - full.tree.size < Math.min(MAX_PAGE_ENTRIES, 4 + full.pages.number / 4))
    return { ...listed, full }
  return entries < 8 * pages && from !== listed.tree.size ? full : { ...listed, full: undefined }
}

/**
 * When the next step of the session's listing is due, ms since the epoch (0: now); never, while there is none.
 * Entries wait for nothing but the page before them; an empty recording is not listed.
 */
export function listingDueMs(session: SessionRecord): number {
  const { listing, listed, size, expired, paging } = session
  if (listing) return effortDueMs(listing)
  // The first entry waits for another: one page for both.
  const isNew = size > Math.max(listed.tree.size, 1) && !isEmpty(session)
  if (!isNew && !expired) return Infinity
  return paging ? effortDueMs(paging) : 0
}
