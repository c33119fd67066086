import type { CDPSession } from '@playwright/test'
import { stopWorkers } from '../driver/worker-control.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { WHOLE } from '../fixtures.ts'
import { expect, test } from './fixtures.ts'
import { registrationOf, type Addressee } from './registration.ts'

const CHUNKS = 2

/** Each event that wakes a worker without a page, as the browser delivers it. */
const WAKES = {
  push: (cdp: CDPSession, addressee: Addressee) =>
    cdp.send('ServiceWorker.deliverPushMessage', { ...addressee, data: '' }),
  periodicsync: (cdp: CDPSession, addressee: Addressee) =>
    cdp.send('ServiceWorker.dispatchPeriodicSyncEvent', { ...addressee, tag: 'any' }),
} as const

for (const [name, wake] of Object.entries(WAKES))
  test(
    `a ${name} event wakes the drain where everything else is asleep`,
    { tag: name === 'push' ? [] : WHOLE },
    async ({ lane, context }) => {
      const { backend, site, sinceEntry } = lane
      const watcher = await context.newPage()
      const cdp = await context.newCDPSession(watcher)
      const registered = registrationOf(cdp, site.origin)
      const down = backend.faults.add({ service: 'ipfs', kind: 'down' })
      const page = await context.newPage()
      // A worker that is only started does nothing, so what is done is done for the event.
      await page.goto(site.ownUrl({ endpoints: backend.endpoints, budgetsMs: { startup: 0 } }))
      const id = String(await site.order({ do: 'record', chunks: CHUNKS, chunkBytes: 10_000, everyMs: 0 }))
      const addressee = await registered
      await page.close()
      // A stopped worker's sync events count as failed: they are due in 5 minutes.
      await stopWorkers(watcher)
      down.remove()
      const before = backend.ledger.all().length
      await wake(cdp, addressee)

      const log = await anchored(backend, id, 'interrupted', CHUNKS)
      expectNothingTwice(backend, log, sinceEntry)
      expect(backend.ledger.all()[before]?.service).toBe('ipfs')
    },
  )
