import type { SessionId } from '../../../src/protocol/ids.ts'
import { SNAPSHOT_CHANNEL, type Broadcast } from '../../../src/protocol/messages.ts'
import { sessionView, type Moving } from '../../core/view.ts'
import type { Store } from '../../ports/store.ts'

/** Changes of one session within this time are told as one, ms. */
const DEBOUNCE_MS = 100

/** Tells every page of the origin how a changed session stands. */
export function announcer(store: Store, moving: Moving): (id: SessionId) => void {
  const channel = new BroadcastChannel(SNAPSHOT_CHANNEL)
  const changed = new Set<SessionId>()

  async function tell() {
    const ids = [...changed]
    changed.clear()
    const sessions = await store.read((tx) => Promise.all(ids.map((id) => tx.session(id))))
    sessions.forEach((session, position) => {
      const sessionId = ids[position]
      if (session)
        channel.postMessage({ type: 'changed', session: sessionView(session, moving) } satisfies Broadcast)
      else if (sessionId) channel.postMessage({ type: 'discarded', sessionId } satisfies Broadcast)
    })
  }

  return (id) => {
    if (changed.size === 0) setTimeout(() => void tell().catch(() => undefined), DEBOUNCE_MS)
    changed.add(id)
  }
}
