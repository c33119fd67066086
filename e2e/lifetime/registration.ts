import type { CDPSession } from '@playwright/test'

/** Which registration an event is for, as the browser's protocol names it. */
export interface Addressee {
  readonly origin: string
  readonly registrationId: string
}

/** Resolves once a worker of this origin is registered; ask before the page is opened that registers it. */
export async function registrationOf(cdp: CDPSession, origin: string): Promise<Addressee> {
  await cdp.send('ServiceWorker.enable')
  return new Promise((resolve) => {
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const ours = registrations.find(({ scopeURL }) => scopeURL.startsWith(origin))
      if (ours) resolve({ origin, registrationId: ours.registrationId })
    })
  })
}
