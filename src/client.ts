import type { ConnectOptions, Holdfast, RecordingSession } from './api.ts'
import { askUpTo } from './ask-again.ts'
import { openConnection } from './connection.ts'
import { keepAwake } from './keep-awake.ts'
import { asOurs, HoldfastError } from './protocol/errors.ts'
import { DISCARD, optionsOf, WAIT, WATCH } from './options.ts'
import { missingFeatures } from './requirements.ts'
import { openSession, recordingSession, type Begun, type Cut } from './session.ts'
import { LOAD_TIMEOUT_MS } from './timeouts.ts'
import { watch } from './watch.ts'
import { withTimeout } from './with-timeout.ts'

/** What `connect` gives, for entries of their own that go on with what a page began. */
export interface Client extends Holdfast {
  /** The lock of its page is held. */
  readonly goOn: (
    begun: Begun,
    release: () => unknown,
    restart: () => Promise<RecordingSession>,
    cut: Cut,
  ) => RecordingSession
}

/**
 * Registers the app's worker and connects to it. From then on this page's visits wake the worker: at once, and
 * whenever the network or the page comes back.
 *
 * @throws HoldfastError `bad-input`, `no-service-worker`, `unsupported-browser`, `worker-timeout`, `protocol-mismatch`,
 *   `storage-failed`; the signal's reason
 */
export async function connect(options: ConnectOptions): Promise<Holdfast> {
  const missing = missingFeatures()
  // The engine would fail later.
  if (missing.length > 0)
    throw new HoldfastError(
      missing.includes('serviceWorker') ? 'no-service-worker' : 'unsupported-browser',
      `This page lacks ${missing}, or https.`,
    )
  const closed = new AbortController()
  const { signal: untilClosed } = closed
  const connecting = openConnection(options, untilClosed)
  const hello = async () => (await connecting).request({ type: 'hello' }, { signal: options.signal })
  await askUpTo(2, hello).catch((error: unknown) => {
    closed.abort()
    throw error
  })
  const connection = await connecting
  const { request } = connection

  const greet = keepAwake(connection, untilClosed)

  /** There may be work now. */
  const thenGreet = async <Answer>(asked: Promise<Answer>): Promise<Answer> => {
    const answer = await asked
    greet()
    return answer
  }

  const client: Client = {
    goOn: recordingSession.bind(null, connection),
    scope: connection.scope,
    startSession: (session) => thenGreet(openSession(connection, session)),
    sessions: (options) => request({ type: 'sessions' }, options),
    chunks: (sessionId, options) => request({ type: 'chunks', sessionId }, options),
    bytes: (sessionId, index, options) => request({ type: 'bytes', sessionId, index }, options),
    log: (sessionId, options) => request({ type: 'log', sessionId }, options),
    watch: (options) => watch(connection, optionsOf(options, WATCH), untilClosed),
    pause: (sessionId, options) => request({ type: 'pause', sessionId }, options),
    resume: (sessionId, options) => thenGreet(request({ type: 'resume', sessionId }, options)),
    adopt: (sessionId, options) => thenGreet(request({ type: 'adopt', sessionId }, options)),
    policy: (options) => request({ type: 'policy' }, options),
    setPolicy: (policy, options) => thenGreet(request({ type: 'policy', policy }, options)),
    async discard(sessionId, options) {
      const { confirm, ...waiting } = optionsOf(options, DISCARD)
      await request({ type: 'discard', sessionId, confirm }, waiting)
    },
    // Not every page asks, so the code of it is not in every page; a network that hangs may never bring it.
    async capabilities(options) {
      const { signal } = optionsOf(options, WAIT)
      const load = async () => (await import('./capabilities.ts')).capabilities(options)
      return withTimeout(LOAD_TIMEOUT_MS, signal, load).catch(asOurs(signal))
    },
    close: () => closed.abort(),
  }
  return client
}
