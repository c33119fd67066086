import { effortDueMs } from './effort.ts'
import type { SessionRecord } from './record.ts'
import { totalChunks } from './session.ts'

// A session's log is published in pages, one at a time: each takes all entries that no page has yet. While there are
// none, the store is asked again for pages whose proof is old.

/**
 * When the next step of the session's listing is due, ms since the epoch (0: now); never, while there is none.
 * Entries wait for nothing but the page before them; an empty recording is not listed.
 */
export function listingDueMs(session: SessionRecord, nowMs = Infinity): number {
  const { listing, listed, size, expired, paging } = session
  if (listing) return effortDueMs(listing, nowMs)
  // The first entry waits for another: one page for both.
  const isNew = size > Math.max(listed.tree.size, 1) && totalChunks(session) > 0
  if (!isNew && !expired) return Infinity
  return paging ? effortDueMs(paging, nowMs) : 0
}
