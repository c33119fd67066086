import { isOurs } from '../../../src/protocol/parse.ts'

declare const self: ServiceWorkerGlobalScope

/**
 * Resolves once this is the active worker. One that waits must leave the database alone: its upgrade would lock the
 * older one, which the pages still record with, out of it. Call it while the script is first run.
 *
 * Where the browser does not tell a worker its own state (Firefox 153), it is the active one if the registration has
 * no other, and otherwise as soon as an event comes that only the active one gets: pages post to the active worker.
 */
export const activation = () =>
  new Promise<unknown>((resolve) => {
    self.addEventListener('activate', resolve)
    // The types know only browsers that tell it.
    const told = self.serviceWorker as ServiceWorker | undefined
    const state = told?.state ?? stateByRegistration(self.registration)
    if (state === 'activated') resolve(undefined)
    if (state !== 'unknown') return
    self.addEventListener('message', ({ data }) => isOurs(data) && resolve(undefined))
    self.addEventListener('push', resolve)
  })

/** This worker's state as far as its registration tells; `unknown` where it may be either of two. */
/** This worker's state as far as its registration tells; `unknown` where it may be either of two. */
function stateByRegistration(registration: ServiceWorkerRegistration): ServiceWorkerState | 'unknown' {
  const { active, waiting, installing } = registration
  if (active === null) return 'installing'
  return waiting === null && installing === null ? 'activated' : 'unknown'
}
