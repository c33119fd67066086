import type { SessionId } from '../../src/protocol/ids.ts'
import type { SessionRecord } from '../core/record.ts'
import type { SessionEvent } from '../core/session-machine.ts'
import { commit } from './commit.ts'
import { nowOf, type Context } from './context.ts'

/**
 * Applies one event to a session in a transaction of its own, and tells the pages.
 *
 * @returns the session as it is then; undefined where it is gone, or past the event: then nothing changes
 */
export async function change(
  { store, clock, announce }: Context,
  id: SessionId,
  event: SessionEvent,
): Promise<SessionRecord | undefined> {
  const changed = await store.write((tx) => commit(tx, id, event, nowOf(clock)))
  if (changed) announce(id)
  return changed
}

/** The same event to all open sessions, in one transaction. */
export const changeOpen = ({ store, clock }: Context, event: SessionEvent): Promise<void> =>
  store.write(async (tx) => {
    for (const { id } of await tx.openSessions()) await commit(tx, id, event, nowOf(clock))
  })
