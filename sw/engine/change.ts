import type { SessionId } from '../../src/protocol/ids.ts'
import type { SessionRecord } from '../core/record.ts'
import type { SessionEvent } from '../core/session-machine.ts'
import type { WriteNeeds, WriteTransaction } from '../ports/store.ts'
import { commit } from './commit.ts'
import { nowOf, type Context } from './context.ts'

/**
 * Applies one event to a session in a transaction of its own, and tells the pages.
 *
 * @param also what else is true then
 * @param here false where a session that is bound elsewhere changes too
 * @returns the session as it is then; undefined where it is gone, or past the event: then nothing changes
 */
export async function change(
  { store, clock, identity, announce }: Context,
  id: SessionId,
  event: SessionEvent,
  also?: (tx: WriteTransaction) => Promise<unknown>,
  here: string | false = identity,
): Promise<SessionRecord | undefined> {
  const changed = await store.write(async (tx) => {
    const [after] = await Promise.all([commit(tx, id, event, nowOf(clock), here), also?.(tx)])
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

/** The same event to all open sessions, in one transaction. */
export const changeOpen = ({ store, clock }: Context, event: SessionEvent): Promise<void> =>
  store.write(async (tx) => {
    for (const { id } of await tx.openSessions()) await commit(tx, id, event, nowOf(clock))
  })
