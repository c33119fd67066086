import { isOurs } from '../../../src/protocol/parse.ts'

declare const self: ServiceWorkerGlobalScope

/**
 * Resolves once this is the active worker. One that waits must leave the database alone: its upgrade would lock the
 * older one, which the pages still record with, out of it. Call it while the script is first run.
 *
 * Where the browser does not tell a worker its own state (Firefox 153, WebKitGTK 2.50), it is the active one if the
 * registration has no other, and otherwise as soon as an event comes that only the active one gets. A page posts to
 * the active worker alone; the registration as a worker sees it may be older than that message.
 */
export const activation = () =>
  new Promise<unknown>((resolve) => {
    self.addEventListener('activate', resolve)
    // The types know only browsers that tell it.
    const told = self.serviceWorker as ServiceWorker | undefined
    if (told ? told.state === 'activated' : isAlone(self.registration)) resolve(undefined)
    if (told) return
    self.addEventListener('message', ({ data }) => isOurs(data) && resolve(undefined))
    self.addEventListener('push', resolve)
  })

const isAlone = ({ active, waiting, installing }: ServiceWorkerRegistration) =>
  !!active && !waiting && !installing
