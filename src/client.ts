import type { ConnectOptions, Holdfast } from './api.ts'
import { askUpTo } from './ask-again.ts'
import { openConnection } from './connection.ts'
import { keepAwake } from './keep-awake.ts'
import { HoldfastError } from './protocol/errors.ts'
import { missingFeatures } from './requirements.ts'
import { openSession } from './session.ts'
import { unlessAborted } from './unless-aborted.ts'
import { watch } from './watch.ts'

/**
 * Registers the app's worker and connects to it. From then on this page's visits wake the worker: at once, and
 * whenever the network or the page comes back.
 *
 * @throws HoldfastError `no-service-worker`, `unsupported-browser`, `worker-timeout`, `protocol-mismatch`,
 *   `storage-failed`; the signal's reason
 */
export async function connect(options: ConnectOptions): Promise<Holdfast> {
  checkBrowser()
  const { signal } = options
  const connection = await unlessAborted(signal, () => openConnection(options))
  await askUpTo(2, () => connection.request({ type: 'hello' }, { signal }))

  const closed = new AbortController()
  const { signal: untilClosed } = closed
  const greet = keepAwake(connection, untilClosed)

  return {
    async startSession(session) {
      const recording = await openSession(connection, session)
      greet()
      return recording
    },
    sessions: (options) => connection.request({ type: 'sessions' }, options),
    chunks: (sessionId, options) => connection.request({ type: 'chunks', sessionId }, options),
    watch: ({ signal } = {}) => watch(connection, untilClosed, signal),
    pause: (sessionId, options) => connection.request({ type: 'pause', sessionId }, options),
    async resume(sessionId, options) {
      const resumed = await connection.request({ type: 'resume', sessionId }, options)
      greet()
      return resumed
    },
    policy: (options) => connection.request({ type: 'policy' }, options),
    async setPolicy(policy, options) {
      const set = await connection.request({ type: 'policy', policy }, options)
      greet()
      return set
    },
    async discard(sessionId, { confirm, signal } = {}) {
      await connection.request({ type: 'discard', sessionId, ...(confirm && { confirm }) }, { signal })
    },
    // Not every page asks, so the code of it is not in every page.
    capabilities: ({ signal } = {}) =>
      unlessAborted(signal, async () => (await import('./capabilities.ts')).capabilities()),
    close: () => closed.abort(),
  }
}

/** Refuses a browser in which the engine would fail later, and a page without https. */
function checkBrowser(): void {
  const missing = missingFeatures()
  if (missing.length > 0)
    throw new HoldfastError(
      missing.includes('serviceWorker') ? 'no-service-worker' : 'unsupported-browser',
      `This browser or page lacks ${missing.join(', ')}.`,
    )
}
