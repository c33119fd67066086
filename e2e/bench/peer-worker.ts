import { Queue } from 'workbox-background-sync/Queue.js'
import type { BareAnswer, BareRequest } from './protocol.ts'

// workbox's queue of requests, which keeps a body until it is sent: it is asked to take one, and to send none.

declare const self: ServiceWorkerGlobalScope

const queue = new Queue('peer', { onSync: async () => undefined })

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('message', (event) => {
  const request = event.data as BareRequest
  const answer = (said: BareAnswer) => event.ports[0]?.postMessage(said)
  event.waitUntil(
    perform(request).then(
      () => answer({ ok: true }),
      (error: unknown) => answer({ ok: false, error: String(error) }),
    ),
  )
})

async function perform(request: BareRequest): Promise<void> {
  switch (request.do) {
    case 'take': {
      const url = `/put/${encodeURIComponent(request.id)}`
      return queue.pushRequest({ request: new Request(url, { method: 'PUT', body: request.payload }) })
    }
    case 'clear':
      while (await queue.shiftRequest());
      return
    default:
      throw new Error(`It cannot ${request.do}.`)
  }
}
