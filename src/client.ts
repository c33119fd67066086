import type { ConnectOptions, Holdfast } from './api.ts'
import { openConnection } from './connection.ts'
import { openSession } from './session.ts'
import { watch } from './watch.ts'

/**
 * Registers the app's worker and connects to it. From then on this page's visits wake the worker: at once, and
 * whenever the network or the page comes back.
 *
 * @throws HoldfastError `no-service-worker`, `worker-timeout`, `protocol-mismatch`
 */
export async function connect(options: ConnectOptions): Promise<Holdfast> {
  const connection = await openConnection(options)
  await connection.ask({ type: 'hello' })

  const closed = new AbortController()
  const { signal: untilClosed } = closed
  // Best effort: a worker that does not answer is woken by the next request.
  const nudge = () => void connection.ask({ type: 'hello' }).catch(() => undefined)
  const nudgeIfVisible = () => document.visibilityState === 'visible' && nudge()
  addEventListener('online', nudge, { signal: untilClosed })
  document.addEventListener('visibilitychange', nudgeIfVisible, { signal: untilClosed })
  connection.onNewWorker(nudge)

  return {
    startSession: (session) => openSession(connection, session),
    sessions: () => connection.ask({ type: 'sessions' }),
    chunks: (sessionId) => connection.ask({ type: 'chunks', sessionId }),
    watch: (signal) => watch(connection, signal ? AbortSignal.any([signal, untilClosed]) : untilClosed),
    pause: (sessionId) => connection.ask({ type: 'pause', sessionId }),
    resume: (sessionId) => connection.ask({ type: 'resume', sessionId }),
    discard: async (sessionId, { confirm } = {}) => {
      await connection.ask({ type: 'discard', sessionId, ...(confirm && { confirm }) })
    },
    close: () => closed.abort(),
  }
}
