import type { BareAnswer, BareRequest } from './protocol.ts'

/** The worker that promises nothing, or the peer's, once it is active. */
export async function bareWorker(kind: 'bare' | 'peer' = 'bare'): Promise<ServiceWorker> {
  const registration = await navigator.serviceWorker.register(`/${kind}-worker.js`, {
    scope: `/${kind}-scope/`,
  })
  const worker = registration.installing ?? registration.active
  if (worker === null) throw new Error('No such worker.')
  while (worker.state !== 'activated')
    await new Promise((changed) => worker.addEventListener('statechange', changed, { once: true }))
  return worker
}

/** Resolves when it has done so. */
export async function askBare(worker: ServiceWorker, request: BareRequest): Promise<void> {
  const { port1, port2 } = new MessageChannel()
  const answered = new Promise<BareAnswer>((resolve) => {
    port1.addEventListener('message', ({ data }) => resolve(data as BareAnswer))
    port1.start()
  })
  worker.postMessage(request, [port2])
  const answer = await answered
  port1.close()
  if (!answer.ok) throw new Error(answer.error)
}
