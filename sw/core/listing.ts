import { afresh, afterFailedEffort, effortDueMs, onTrial, type Resumed } from './effort.ts'
import type { Listing, SessionRecord } from './record.ts'
import type { Failure, Now } from './retry-policy.ts'
import { totalChunks } from './session.ts'

// A session's log is published in pages, one at a time: each takes all entries that no page has yet. While there are
// none, the store is asked again for pages whose proof is old.

/**
 * When the next step of the session's listing is due, ms since the epoch (0: now); undefined while there is none.
 * Entries wait for nothing but the page before them; an empty recording is not listed.
 */
export function listingDueMs(session: SessionRecord, nowMs = Infinity): number | undefined {
  const { paused, listing, listed, size, expired } = session
  if (paused) return undefined
  // The first entry waits for another: one page for both.
  if (!listing)
    return (size > Math.max(listed.tree.size, 1) && totalChunks(session) > 0) || expired ? 0 : undefined
  return effortDueMs(listing, nowMs)
}

/** What can happen to the page in flight. */
export type ListingEvent =
  | { readonly type: 'send-began' }
  | { readonly type: 'resume-token-saved'; readonly resumeToken: string }
  | { readonly type: 'failed'; readonly failure: Failure }
  | Resumed

/** The page in flight after an event. */
export function listingStep(listing: Listing, event: ListingEvent, now: Now): Listing {
  switch (event.type) {
    case 'send-began':
      return { ...listing, sent: true }
    case 'resume-token-saved':
      return { ...listing, resumeToken: event.resumeToken }
    case 'failed':
      return afterFailedEffort(listing, event.failure, now)
    case 'resumed':
      return event.onTrial ? onTrial(listing) : afresh(listing)
  }
}
