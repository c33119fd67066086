import type { WatchOptions } from './api.ts'
import type { Connection } from './connection.ts'
import { onBroadcast } from './on-broadcast.ts'
import { requestWithRetry } from './request-with-retry.ts'
import { endable } from './protocol/endable.ts'
import { following } from './protocol/following.ts'
import type { Broadcast } from './protocol/messages.ts'
import type { SessionId } from './protocol/ids.ts'
import type { SessionSnapshot, Snapshot } from './protocol/snapshot.ts'
import { callListener } from './call-listener.ts'
import { ASK_AGAIN_MS } from './timeouts.ts'

/** The attempt from 0 whose refusal is told: after a second or two. */
const TOLD_AT = 3

/**
 * The engine's state now, then again after each change, until one of the signals aborts; a slow reader gets the latest
 * state, not a backlog. What a broadcast has not told is found within a minute, while something is not settled.
 */
export function watch(
  connection: Connection,
  options: WatchOptions = {},
  untilClosed?: AbortSignal,
): AsyncGenerator<Snapshot> {
  return endable((ending) => states(connection, options, following(untilClosed, options.signal, ending)))
}

async function* states(
  connection: Connection,
  { onStalled }: WatchOptions,
  over: AbortController,
): AsyncGenerator<Snapshot> {
  const { signal } = over
  let sessions = new Map<SessionId, SessionSnapshot>()
  /** What was told since the worker was last asked: it is newer than the answer. */
  const since = new Map<SessionId, SessionSnapshot | undefined>()
  let changed = true
  let notify = () => {}
  let timer: ReturnType<typeof setTimeout> | undefined

  // Listening before asking: a change in between is not missed, only told twice.
  const listener = (told: Broadcast) => {
    const [id, session] = told.type === 'changed' ? [told.session?.id, told.session] : [told.sessionId]
    // A worker of another version, or another script, may tell anything.
    if (!session && told.type !== 'discarded') return
    since.set(id, session)
    put(sessions, id, session)
    changed = true
    notify()
  }
  onBroadcast(connection, listener, signal)
  signal.addEventListener('abort', () => notify())
  addEventListener('pageshow', ({ persisted }) => persisted && askAgain(), { signal })

  async function ask(): Promise<void> {
    const request = () => {
      since.clear()
      return connection.request({ type: 'sessions' })
    }
    const answer = await requestWithRetry(connection, request, {
      signal,
      onStalled: (error, attempt) => {
        if (attempt !== TOLD_AT) return
        // Whoever was told takes it back with the state, which may be the same.
        changed = true
        callListener(onStalled, error)
      },
    })
    const known = new Map(answer.map((session) => [session.id, session]))
    for (const [id, session] of since) put(known, id, session)
    changed ||= JSON.stringify([...known]) !== JSON.stringify([...sessions])
    sessions = known
  }

  /** A worker may have died over what it had to tell, and what it tells a page that is put aside for Back is lost. */
  function askAgain(): void {
    // One after the other, or an older answer could undo a newer one.
    asking = asking
      .then(ask)
      .catch(() => undefined)
      .then(() => {
        clearTimeout(timer)
        timer = undefined
        notify()
      })
  }

  let asking = ask()
  try {
    await asking.catch((error: unknown) => {
      // Whoever stops watching is told nothing more, no error either.
      if (!signal.aborted) throw error
    })
    while (!signal.aborted) {
      if (changed) {
        changed = false
        yield { sessions: [...sessions.values()].sort((a, b) => b.startedAtMs - a.startedAtMs) }
      } else {
        // Of what has settled the worker has nothing to tell.
        if ([...sessions.values()].some(({ upload }) => upload !== 'confirmed'))
          timer ??= setTimeout(askAgain, ASK_AGAIN_MS)
        await new Promise<void>((resolve) => {
          notify = resolve
        })
      }
    }
  } finally {
    clearTimeout(timer)
    over.abort()
  }
}

type Sessions = Map<SessionId, SessionSnapshot>

const put = (into: Sessions, id: SessionId, session: SessionSnapshot | undefined) =>
  session ? into.set(id, session) : into.delete(id)
