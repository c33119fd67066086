import type { SessionId } from '../../src/protocol/ids.ts'
import type { WorkKind } from '../core/plan.ts'
import type { SessionRecord } from '../core/record.ts'
import type { SessionEvent } from '../core/session-machine.ts'
import type { WriteNeeds } from '../ports/store.ts'
import { closeCircuit } from './circuits.ts'
import { commit } from './commit.ts'
import { nowOf, type Context } from './context.ts'

/**
 * Applies one event to a session in a transaction of its own, and tells the pages.
 *
 * @param answered whose answer it is: its circuit is closed, whatever becomes of the event
 * @param here false where a session that is bound elsewhere changes too
 * @returns the session as it is then; undefined where it is gone, or past the event: then nothing changes
 */
export async function change(
  context: Context,
  id: SessionId,
  event: SessionEvent,
  answered?: WorkKind | false,
  here: string | false = context.identity,
): Promise<SessionRecord | undefined> {
  const { store, clock, announce } = context
  const changed = await store.write(async (tx) => {
    const [after] = await Promise.all([
      commit(tx, id, event, nowOf(clock), here),
      answered && closeCircuit(context, tx, answered),
    ])
    return after
  }, needsOf(event))
  if (changed) announce(id)
  return changed
}

/** What puts or deletes bytes. */
const BYTE_EVENTS: ReadonlySet<string> = new Set(['sealed', 'anchor-confirmed', 'discarded'])

/** That an upload went well is found out again. */
function needsOf(event: SessionEvent): WriteNeeds {
  const { type } = event.type === 'chunk' ? event.event : event
  return { records: !BYTE_EVENTS.has(type), repeatable: type === 'stored' }
}
