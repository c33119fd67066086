/// <reference lib="webworker" />
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { Attempt, Transport } from '../../sw/ports/transport.ts'
import type { AuthReason } from '../../sw/http/with-auth.ts'
import type { Done, Nudge, Order, Told } from './transport-orders.ts'
import { transportOf } from './variants.ts'

declare const self: ServiceWorkerGlobalScope

/** Transports of this worker's life. */
const transports = new Map<number, { transport: Transport; note: (reason: AuthReason) => void }>()

self.addEventListener('install', () => void self.skipWaiting())
self.addEventListener('message', (event) => {
  const [port] = event.ports
  if (port !== undefined) event.waitUntil(perform(event.data as Order, port))
})

async function perform(order: Order, port: MessagePort): Promise<void> {
  const tell = (message: Told | Done) => port.postMessage(message)
  const stop = new AbortController()
  if (order.aborted) stop.abort()
  let kept: (value?: unknown) => void = () => {}
  port.addEventListener('message', ({ data }: MessageEvent<Nudge>) =>
    data === 'abort' ? stop.abort() : kept(),
  )
  port.start()

  let { resumeToken } = order
  const attempt: Attempt = {
    signal: stop.signal,
    get resumeToken() {
      return resumeToken
    },
    saveResumeToken: (told) =>
      new Promise((resolve) => {
        resumeToken = told
        kept = resolve
        tell({ kind: 'save-resume-token', resumeToken })
      }),
    progress: (offsetBytes) => tell({ kind: 'progress', offsetBytes }),
  }
  try {
    tell({ kind: 'done', value: await call(order, attempt, (reason) => tell({ kind: 'asked', reason })) })
  } catch (error) {
    const { code, message, retryAfterMs } = HoldfastError.from(error)
    tell({ kind: 'failed', code, message, retryAfterMs })
  }
}

async function call(order: Order, attempt: Attempt, note: (reason: AuthReason) => void): Promise<unknown> {
  const { transportId, variant, settings, method, upload, held } = order
  let own = transports.get(transportId)
  if (own === undefined) {
    const made = { note, transport: transportOf(variant, settings, (reason) => made.note(reason)) }
    transports.set(transportId, (own = made))
  }
  own.note = note
  const { transport } = own
  if (method !== 'send') return transport[method]?.(upload, attempt)
  const response = await fetch(`/bytes/${upload.cid}`)
  return transport.send(upload, new Uint8Array(await response.arrayBuffer()), held, attempt)
}
