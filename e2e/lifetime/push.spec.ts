import type { CDPSession } from '@playwright/test'
import { expect, test } from '../fixtures.ts'
import { anchored } from '../oracle.ts'
import { postChunk, startSession } from '../page/messages.ts'

/** Each event that wakes a worker without a page, as the browser delivers it. */
const WAKES = {
  push: (cdp: CDPSession, origin: string, registrationId: string) =>
    cdp.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data: '' }),
  periodicsync: (cdp: CDPSession, origin: string, registrationId: string) =>
    cdp.send('ServiceWorker.dispatchPeriodicSyncEvent', { origin, registrationId, tag: 'any' }),
} as const

for (const [name, wake] of Object.entries(WAKES))
  test(`a ${name} event wakes the drain where everything else is asleep`, async ({ stack, launch }) => {
    const { backend, url } = stack
    const { context } = await launch()
    const watcher = await context.newPage()
    const cdp = await context.newCDPSession(watcher)
    const registered = new Promise<string>((resolve) => {
      cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const ours = registrations.find(({ scopeURL }) => scopeURL.startsWith(url))
        if (ours) resolve(ours.registrationId)
      })
    })
    await cdp.send('ServiceWorker.enable')

    const page = await context.newPage()
    await page.goto(url)
    const registrationId = await registered
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
    const down = backend.faults.add({ service: 'ipfs', kind: 'down' })
    const id = crypto.randomUUID()
    await startSession(page, id)
    for (const index of [0, 1])
      expect(await postChunk(page, { sessionId: id, index, sizeBytes: 10_000, fill: index })).toMatchObject({
        ok: true,
      })
    await backend.ledger.waitFor(({ fault }) => fault === 'down')
    await page.close()
    // A stopped worker's sync events count as failed: they are due in 5 minutes.
    await cdp.send('ServiceWorker.stopAllWorkers')
    down.remove()
    const wokenMs = Date.now()
    await wake(cdp, url, registrationId)

    await anchored(backend, id, 'interrupted', 2)
    const first = backend.ledger.all().find(({ at }) => at >= wokenMs)
    expect(first?.service).toBe('ipfs')
  })
