import type { SessionId } from '../../../src/protocol/ids.ts'
import { SNAPSHOT_CHANNEL, type Broadcast } from '../../../src/protocol/messages.ts'
import { nameFor } from '../../../src/protocol/names.ts'
import { sessionView, type Moving } from '../../core/view.ts'
import type { Store } from '../../ports/store.ts'

/** Tells every page of this registration how a changed session stands. */
export function announcer(scope: string, store: Store, moving: Moving): (id: SessionId) => void {
  const channel = new BroadcastChannel(nameFor(SNAPSHOT_CHANNEL, scope))
  const changed = new Set<SessionId>()

  async function tell() {
    const ids = [...changed]
    changed.clear()
    for (const sessionId of ids) {
      const session = await store.read((tx) => tx.session(sessionId))
      const told: Broadcast = session
        ? { type: 'changed', session: sessionView(session, moving) }
        : { type: 'discarded', sessionId }
      channel.postMessage(told)
    }
  }

  return (id) => {
    // Changes of one session within this time, ms, are told as one.
    if (changed.size === 0) setTimeout(() => void tell().catch(() => undefined), 100)
    changed.add(id)
  }
}
