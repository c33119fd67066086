import { publicationDueMs } from './publication.ts'
import type { SessionRecord } from './record.ts'
import { pendingChunks } from './session.ts'

/**
 * When the session's next step beyond its chunks is due, ms since the epoch (0: now): its publication's, or the trial
 * of a sign-in; undefined while there is none.
 */
export function nextStepMs(session: SessionRecord): number | undefined {
  const publishMs = publicationDueMs(session)
  const { retryAtMs } = session.signIn ?? {}
  if (session.paused || retryAtMs === undefined) return publishMs
  return Math.min(retryAtMs, publishMs ?? retryAtMs)
}

/**
 * True while time or the network alone can bring the session further, or its recorder is still at work:
 * a wake that ends now must ask to be woken again. What is paused or parked waits for a person instead; what is
 * parked for a sign-in is tried again by itself.
 */
export function workRemains(session: SessionRecord): boolean {
  if (session.ending === 'recording') return true
  if (session.paused) return false
  return pendingChunks(session) - session.parked > 0 || nextStepMs(session) !== undefined
}
