import { expect, test, LANDING } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import { openDemo } from '../in-page/demo-tab.ts'
import { openApp, serveVersions, takeOver, updateWaits } from './versions.ts'

// Promise 8 of docs/guarantees.md.
test('a new worker that takes over in mid-upload goes on with the recording: nothing lost, nothing twice', async ({
  stack,
  context,
}) => {
  const { backend, site, url, sinceEntry } = stack
  const tab = await openDemo(context, { url })
  const held = backend.faults.add({ service: 'ipfs', match: '/add', kind: 'hold' })
  await tab.record()
  await tab.acknowledged(3)
  await held.arrived
  site.deploy(`${site.worker}\n// ${tab.slices.length} later\n`)
  await updateWaits(tab.page)
  // The one that waits is in nobody's way.
  await tab.acknowledged(tab.slices.length + 1)
  await takeOver(tab.page)
  held.release()
  await tab.acknowledged(tab.slices.length + 2)
  await tab.stop()

  const id = (await tab.session().getAttribute('data-session-id')) ?? ''
  const log = await anchored(backend, id, 'complete', tab.slices.length)
  expect(log.chunks.map(({ index }) => index)).toEqual([...tab.slices.keys()])
  expectNothingTwice(backend, log, sinceEntry)
})

// Promise 1 of docs/guarantees.md.
test(
  'a chunk that the old worker never answered goes to the new one at once',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, sinceEntry } = stack
    const app = await serveVersions(backend.endpoints)
    const page = await openApp(context, app)
    // Its deadline is one that no test reaches: only the switch can have the chunk sent again.
    const id = await page.evaluate(() => window.app.begin(1))
    app.deploy('present')
    await updateWaits(page)
    // A transaction that this page keeps open holds up every other, so that the old worker cannot answer.
    await page.evaluate(async () => {
      const db = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open(`holdfast-2:${location.origin}/`)
        request.addEventListener('success', () => resolve(request.result))
      })
      const hold = { open: true }
      const store = db.transaction('meta', 'readwrite').objectStore('meta')
      const spin = () => {
        if (hold.open) store.get('x').addEventListener('success', spin)
        else db.close()
      }
      spin()
      const appended = window.app.append(2)
      Object.assign(window, { hold, appended })
    })
    await takeOver(page)
    const acknowledged = await page.evaluate(async () => {
      const { hold, appended } = window as Window & { hold?: { open: boolean }; appended?: Promise<object> }
      if (hold) hold.open = false
      return appended
    })
    expect(acknowledged).toMatchObject({ index: 0 })
    await page.evaluate(() => window.app.session?.end())
    expectNothingTwice(backend, await anchored(backend, id, 'complete', 1), sinceEntry)
    await app.close()
  },
)

// Promise 4 of docs/guarantees.md.
test(
  'two workers that live side by side share one drain: no chunk goes up twice',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, sinceEntry } = stack
    const app = await serveVersions(backend.endpoints)
    const page = await openApp(context, app)
    const slow = backend.faults.add({ service: 'ipfs', match: '/add', kind: 'hold' })
    const id = await page.evaluate(() => window.app.begin(1))
    const waiting = await page.evaluate(async (holdfast) => {
      const other = await navigator.serviceWorker.register('/beside.js', { scope: '/other/' })
      const { installing } = other
      while (other.active === null)
        await new Promise((resolve) => installing?.addEventListener('statechange', resolve, { once: true }))
      for (let fill = 1; fill <= 12; fill++) await window.app.append(fill)
      other.active.postMessage({ holdfast, type: 'hello' })
      const drains = (locks: LockInfo[] | undefined) =>
        locks?.filter(({ name }) => name === `holdfast-drain:${location.origin}/`).length
      // The other has asked for the lock once it has got so far.
      for (;;) {
        const { held, pending } = await navigator.locks.query()
        if (drains(pending)) return { held: drains(held), pending: drains(pending) }
      }
    }, PROTOCOL_VERSION)
    expect(waiting).toEqual({ held: 1, pending: 1 })
    await slow.arrived
    const underWay = () =>
      backend.ledger
        .all()
        .filter(
          ({ path, outcome, id: entry }) =>
            path.endsWith('/add') && outcome === undefined && entry > sinceEntry,
        ).length
    // Three chunks, and a page of the log.
    expect(underWay()).toBeLessThanOrEqual(3 + 1)
    slow.release()
    await page.evaluate(() => window.app.session?.end())
    expectNothingTwice(backend, await anchored(backend, id, 'complete', 12), sinceEntry)
    await app.close()
  },
)
