import type { Connection } from './connection.ts'
import { onBroadcast } from './on-broadcast.ts'
import { requestWithRetry } from './request-with-retry.ts'
import { following } from './protocol/following.ts'
import type { Broadcast } from './protocol/messages.ts'
import type { SessionId } from './protocol/ids.ts'
import type { SessionSnapshot, Snapshot } from './protocol/snapshot.ts'

/**
 * The engine's state now, then again after each change, until one of the signals aborts; a slow reader gets the latest
 * state, not a backlog.
 */
export async function* watch(
  connection: Connection,
  ...signals: readonly (AbortSignal | undefined)[]
): AsyncGenerator<Snapshot> {
  const over = following(...signals)
  const { signal } = over
  const sessions = new Map<SessionId, SessionSnapshot>()
  let changed = true
  let notify = () => {}

  // Listening before asking: a change in between is not missed, only told twice.
  const listener = (told: Broadcast) => {
    if (told.type === 'changed') sessions.set(told.session.id, told.session)
    else sessions.delete(told.sessionId)
    changed = true
    notify()
  }
  onBroadcast(connection, listener, signal)
  signal.addEventListener('abort', () => notify())

  try {
    const known = requestWithRetry(connection, () => connection.request({ type: 'sessions' }), { signal })
    for (const session of await known.catch(endedBy(signal)))
      if (!sessions.has(session.id)) sessions.set(session.id, session)
    while (!signal.aborted) {
      if (changed) {
        changed = false
        yield { sessions: [...sessions.values()].sort((a, b) => b.startedAtMs - a.startedAtMs) }
      } else {
        await new Promise<void>((resolve) => {
          notify = resolve
        })
      }
    }
  } finally {
    over.abort()
  }
}

/** Whoever stops watching is told nothing more, no error either. */
const endedBy = (signal: AbortSignal) => (error: unknown) => {
  if (signal.aborted) return []
  throw error
}
