// The module rather than the package's entry, which is compiled to ES5 and a kilobyte larger.
import { messageSW } from 'workbox-window/messageSW.js'
import type { ConnectOptions, WaitOptions } from './api.ts'
import { checkArguments } from './arguments.ts'
import { bad } from './bad-input.ts'
import { CONNECT, optionsOf, WAIT } from './options.ts'
import { asOurs, fromWire, HoldfastError, type WireError } from './protocol/errors.ts'
import {
  PROTOCOL_VERSION,
  type Answers,
  type Envelope,
  type Request,
  type RequestType,
} from './protocol/messages.ts'
import { callListener } from './call-listener.ts'
import { ANSWER_TIMEOUT_MS, INSTALL_TIMEOUT_MS, READ_MS_PER_BYTE } from './timeouts.ts'
import { withTimeout } from './with-timeout.ts'

/** Asks the worker; every request settles. */
export interface Connection {
  /** The registration's, an absolute URL: what page and worker share is named by it. */
  readonly scope: string
  /**
   * @throws HoldfastError `worker-timeout` after the deadline, or whatever the worker refuses with; the signal's reason
   */
  request<Type extends RequestType>(
    request: Extract<Request, { type: Type }>,
    options?: WaitOptions,
  ): Promise<Answers[Type]>
  /** Calls back when another worker has taken over: what was not answered must be sent again. */
  onNewWorker(listener: () => void, signal: AbortSignal): void
}

/**
 * Registers the worker and waits until it is active.
 *
 * @param untilClosed from its abort on no newer worker is told
 * @throws HoldfastError `bad-input`, `no-service-worker`, `worker-timeout`; the signal's reason
 */
export async function openConnection(
  options: ConnectOptions,
  untilClosed?: AbortSignal,
): Promise<Connection> {
  const {
    scriptUrl,
    type = 'module',
    scope,
    timeoutMs = ANSWER_TIMEOUT_MS,
    onUpdate,
    signal,
  } = optionsOf(options, CONNECT)
  if (!scriptUrl) throw bad('scriptUrl', 'the address of the worker.')
  if (!(timeoutMs > 0)) throw bad('timeoutMs', 'more than 0.')
  /** Once: it may be seen again as yet another is installed. */
  let told: ServiceWorker | undefined

  async function register(): Promise<ServiceWorkerRegistration> {
    let registered: ServiceWorkerRegistration
    try {
      // In a sandbox a page may not even ask.
      registered = await navigator.serviceWorker.register(scriptUrl, { type, scope: scope! })
    } catch (cause) {
      // The browser's words say why: no such script, its type, its scope, or what it throws.
      throw noWorker(`${scriptUrl}: ${cause}`, cause)
    }
    const look = () => {
      const { installing, waiting } = registered
      // One that is being installed will wait.
      installing?.addEventListener('statechange', look, { signal: untilClosed! })
      if (waiting && waiting !== told && !untilClosed?.aborted) callListener(onUpdate, (told = waiting))
    }
    await activated(registered)
    registered.addEventListener('updatefound', look, { signal: untilClosed! })
    look()
    return registered
  }

  let registration = await answerWithin(INSTALL_TIMEOUT_MS, signal, register)
  let registering: Promise<ServiceWorkerRegistration> | undefined

  /** The worker was taken away under this page, and nothing else brings it back. */
  async function bringBack(): Promise<ServiceWorker> {
    registering ??= answerWithin(timeoutMs, undefined, register).finally(() => (registering = undefined))
    registration = await registering
    return registration.active!
  }

  return {
    scope: registration.scope,
    async request(request, options) {
      const { signal } = optionsOf(options, WAIT)
      checkArguments(request)
      const worker = activeOf(registration) ?? (await answerWithin(timeoutMs, signal, bringBack))
      const envelope: Envelope = { ...request, holdfast: PROTOCOL_VERSION }
      const ask = () => messageSW(worker, envelope).catch(asOurs())
      const { chunk } = request as Partial<ChunkRequest>
      // It has to read, hash and store what it is given.
      const readMs = READ_MS_PER_BYTE * (chunk?.payload.size ?? 0)
      // A listener of the app's own may have answered.
      const reply = (await answerWithin(timeoutMs + readMs, signal, ask)) as
        { readonly value?: Answers[typeof request.type]; readonly error?: WireError } | undefined
      // Each of ours has a value.
      if (!reply?.value) throw fromWire(reply?.error ?? NO_ANSWER)
      return reply.value
    },
    onNewWorker: (listener, signal) =>
      navigator.serviceWorker.addEventListener('controllerchange', listener, { signal }),
  }
}

/** Its active worker; none where it was unregistered, or the site's data were cleared. */
const activeOf = ({ active }: ServiceWorkerRegistration) => (active?.state === 'redundant' ? null : active)

type ChunkRequest = Extract<Request, { type: 'chunk' }>

const NO_ANSWER: WireError = { code: 'defect', message: 'Another script answered.' }

const noWorker = (message: string, cause?: unknown) =>
  new HoldfastError('no-service-worker', message, { cause })

/** Resolves once the registration has an active worker; a first install that fails rejects. */
async function activated(registration: ServiceWorkerRegistration): Promise<void> {
  const worker = registration.waiting ?? registration.installing
  while (!registration.active) {
    if (!worker || worker.state === 'redundant') throw noWorker('It failed to install.')
    await new Promise((resolve) => worker.addEventListener('statechange', resolve, { once: true }))
  }
}

/** `messageSW` never settles if the worker dies first, and `register` may not: the deadline is ours. */
const answerWithin = <T>(ms: number, signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> =>
  withTimeout(ms, signal, ask, new HoldfastError('worker-timeout', `No answer in ${ms} ms.`))
