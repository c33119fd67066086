import type { BareAnswer, BareRequest } from './protocol.ts'

declare const self: ServiceWorkerGlobalScope

/** Serves the bench's page from now on, and does what it asks. */
export function answerPage(perform: (request: BareRequest) => Promise<unknown>): void {
  self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
  self.addEventListener('message', (event) => {
    const answer = (said: BareAnswer) => event.ports[0]?.postMessage(said)
    event.waitUntil(
      perform(event.data as BareRequest).then(
        () => answer({ ok: true }),
        (error: unknown) => answer({ ok: false, error: String(error) }),
      ),
    )
  })
}
