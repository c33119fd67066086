import type { ConnectOptions, Holdfast } from './api.ts'
import { openConnection } from './connection.ts'
import { keepAwake } from './keep-awake.ts'
import type { HoldfastError } from './protocol/errors.ts'
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
  const hello = () => connection.request({ type: 'hello' })
  // Once more, because a worker may be stopped with the question in its hands.
  await hello().catch((error: HoldfastError) => {
    if (error.code !== 'worker-timeout') throw error
    return hello()
  })

  const closed = new AbortController()
  const { signal: untilClosed } = closed
  const greet = keepAwake(connection, untilClosed)

  return {
    async startSession(session) {
      const recording = await openSession(connection, session)
      greet()
      return recording
    },
    sessions: () => connection.request({ type: 'sessions' }),
    chunks: (sessionId) => connection.request({ type: 'chunks', sessionId }),
    watch: (signal) => watch(connection, signal ? AbortSignal.any([signal, untilClosed]) : untilClosed),
    pause: (sessionId) => connection.request({ type: 'pause', sessionId }),
    async resume(sessionId) {
      const resumed = await connection.request({ type: 'resume', sessionId })
      greet()
      return resumed
    },
    policy: () => connection.request({ type: 'policy' }),
    async setPolicy(policy) {
      const set = await connection.request({ type: 'policy', policy })
      greet()
      return set
    },
    discard: async (sessionId, { confirm } = {}) => {
      await connection.request({ type: 'discard', sessionId, ...(confirm && { confirm }) })
    },
    // Not every page asks, so the code of it is not in every page.
    capabilities: async () => (await import('./capabilities.ts')).capabilities(),
    close: () => closed.abort(),
  }
}
