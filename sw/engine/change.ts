import type { SessionId } from '../../src/protocol/ids.ts'
import type { SessionRecord } from '../core/record.ts'
import type { SessionEvent } from '../core/session-event.ts'
import type { WriteNeeds } from '../ports/store.ts'
import { commit } from './commit.ts'
import type { Context } from './context.ts'

/**
 * Applies one event to a session in a transaction of its own, and tells the pages.
 *
 * @returns the session as it is then; undefined where it is gone, or past the event: then nothing changes
 */
export async function change(
  context: Context,
  id: SessionId,
  event: SessionEvent,
): Promise<SessionRecord | undefined> {
  const { store, known, announce } = context
  const write = () => store.write((tx) => commit(context, tx, id, event), needsOf(event))
  // What hung is told though the database fails over it: it would be only once it has hung again.
  const changed = await write().catch(() => {
    // It may stand all the same: then the second one finds nothing to change.
    announce(id)
    return write()
  })
  if (changed) {
    known.set(id, changed)
    announce(id)
  }
  return changed
}

/** What puts or deletes bytes. */
const BYTE_EVENTS: ReadonlySet<string> = new Set(['sealed', 'anchor-confirmed', 'discarded'])

/** That an upload went well is found out again. */
function needsOf(event: SessionEvent): WriteNeeds {
  const { type } = event.type === 'chunk' ? event.event : event
  return { records: !BYTE_EVENTS.has(type), repeatable: type === 'stored' }
}
