import { publicationDueMs } from './publication.ts'
import type { SessionRecord } from './record.ts'
import { pendingChunks } from './session.ts'

/**
 * True while time or the network alone can bring the session further, or its recorder is still at work:
 * a wake that ends now must ask to be woken again. What is paused or parked waits for a person instead.
 */
export function workRemains(session: SessionRecord): boolean {
  if (session.ending === 'recording') return true
  if (session.paused) return false
  return pendingChunks(session) - session.parked > 0 || publicationDueMs(session) !== undefined
}
