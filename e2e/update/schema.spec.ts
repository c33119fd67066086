import { expect, test, LANDING } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import { diedIn } from '../in-page/died-in.ts'
import { A_CHUNK, A_PAGE, STORES } from '../stores.ts'
import { openApp, schemaVersion, serveVersions, takeOver, updateWaits } from './versions.ts'

// Promise 8 of docs/guarantees.md.

test('a worker with a newer schema carries pending work of every state over, and doubles none of it', async ({
  stack,
  context,
}) => {
  const { backend, sinceEntry } = stack
  const app = await serveVersions(backend.endpoints)
  const page = await openApp(context, app)
  const begin = async (fill: number, seal: 'page' | 'worker' = 'page') => {
    const id = await page.evaluate((args) => window.app.begin(...args), [fill, seal] as const)
    return id
  }
  const append = (fill: number) => page.evaluate((value) => window.app.append(value), fill)
  const statuses = () =>
    page.evaluate(async () => {
      const sessions = (await window.app.holdfast?.sessions()) ?? []
      const lists = await Promise.all(sessions.map(({ id }) => window.app.holdfast?.chunks(id)))
      return lists.flatMap((chunks) => chunks?.map(({ status }) => status) ?? []).toSorted()
    })

  // One session whose head is under way, and then chunks in every other state that waits for something.
  const posted = backend.faults.add({ service: 'relay', method: 'POST', kind: 'hold' })
  const anchoring = await begin(1)
  await append(1)
  await page.evaluate(() => window.app.session?.end())
  await posted.arrived
  const refusing = backend.faults.add({ ...STORES.ipfs, content: A_CHUNK, kind: 'status', status: 400 })
  const parked = await begin(7)
  await append(7)
  const parkedChunks = () =>
    page.evaluate(async () => (await window.app.holdfast?.sessions())?.map((session) => session.parked))
  await expect.poll(parkedChunks).toContain(1)
  refusing.remove()
  // The first page has the first chunk; the second one waits for the next.
  const pages = backend.faults.add({ ...STORES.ipfs, content: A_PAGE, kind: 'hold' })
  const listing = await begin(8)
  await append(8)
  await pages.arrived
  await append(9)
  await expect.poll(statuses).toEqual(['anchoring', 'manifesting', 'uploaded', 'uploading'])
  const ended = await begin(2)
  await append(2)
  await expect.poll(statuses).toEqual(['anchoring', 'manifesting', 'manifesting', 'uploaded', 'uploading'])
  await page.evaluate(() => window.app.session?.end())
  const adds = backend.faults.add({ ...STORES.ipfs, content: A_CHUNK, kind: 'hold' })
  // One paused with raw bytes, whose sealing was begun and begun again; one in mid-upload.
  const captured = await begin(3, 'worker')
  await page.evaluate(() => window.app.session && window.app.holdfast?.pause(window.app.session.id))
  for (let chunk = 0; chunk < 3; chunk++) await append(3)
  await diedIn(page, `${captured}/1`, 'hashing')
  await diedIn(page, `${captured}/2`, 'encrypting')
  const uploading = await begin(4)
  await append(4)
  await adds.arrived
  const sealing = ['captured', 'encrypting', 'hashing']
  const sent = ['manifesting', 'manifesting', 'uploaded', 'uploading', 'uploading']
  await expect.poll(statuses).toEqual(['anchoring', ...sealing, ...sent])

  app.deploy('next-schema')
  await updateWaits(page)
  expect(await schemaVersion(page)).toBe(1)
  await append(5)
  await takeOver(page)
  await expect.poll(() => schemaVersion(page)).toBe(2)
  adds.release()
  pages.release()
  posted.release()
  await append(6)
  await page.evaluate(() => window.app.session?.end())
  for (const id of [captured, parked])
    await page.evaluate((held) => window.app.holdfast?.resume(held as never), id)
  for (const [id, ending, chunks] of [
    [anchoring, 'complete', 1],
    [ended, 'complete', 1],
    [uploading, 'complete', 3],
  ] as const) {
    const log = await anchored(backend, id, ending, chunks)
    expectNothingTwice(backend, log, sinceEntry)
  }
  await page.close()
  for (const [id, chunks] of [
    [captured, 3],
    [parked, 1],
    [listing, 2],
  ] as const)
    expectNothingTwice(backend, await anchored(backend, id, 'interrupted', chunks), sinceEntry)
  await app.close()
})

test(
  'after a roll-back the older worker says that it is older; the page keeps the bytes until the newer is back',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, sinceEntry } = stack
    const app = await serveVersions(backend.endpoints)
    app.deploy('next-schema')
    const page = await openApp(context, app)
    const id = await page.evaluate(() => window.app.begin(1))
    await page.evaluate(() => window.app.append(1))
    expect(await schemaVersion(page)).toBe(2)

    app.deploy('present')
    await updateWaits(page)
    await takeOver(page)
    const said = await page.evaluate(async () => {
      const { session } = window.app
      const told = new Promise<string>((resolve) => {
        const bytes = new Blob([new Uint8Array(50_000).fill(2)])
        const appended = session?.append(bytes, {
          onStalled: (error) => resolve(`${error.code}: ${error.message}`),
        })
        Object.assign(window, { appended })
      })
      return { told: await told, stalledBy: session?.stalledBy?.code, waiting: session?.waiting }
    })
    expect(said).toEqual({
      told: expect.stringMatching(/^storage-failed: VersionError: /) as unknown,
      stalledBy: 'storage-failed',
      waiting: 1,
    })
    expect(await schemaVersion(page)).toBe(2)

    app.deploy('next-schema')
    await updateWaits(page)
    await takeOver(page)
    const acknowledged = await page.evaluate(
      () => (window as Window & { appended?: Promise<object> }).appended,
    )
    expect(acknowledged).toEqual({ id: `${id}/1`, index: 1 })
    const stalledBy = await page.evaluate(() => window.app.session?.stalledBy)
    expect(stalledBy).toBeUndefined()
    await page.evaluate(() => window.app.session?.end())
    expectNothingTwice(backend, await anchored(backend, id, 'complete', 2), sinceEntry)
    await app.close()
  },
)

test(
  'a worker that waits leaves the database to the one that the page records with',
  { tag: LANDING },
  async ({ stack, context }) => {
    const app = await serveVersions(stack.backend.endpoints)
    const page = await openApp(context, app)
    // Nothing is under way, so that no drain keeps the newer one out.
    await page.evaluate(() => window.app.connect())
    app.deploy('next-schema')
    await updateWaits(page)
    await page.evaluate(async (holdfast) => {
      const { waiting } = await navigator.serviceWorker.ready
      waiting?.postMessage({ holdfast, type: 'hello' })
      await window.app.begin(1)
      for (let fill = 1; fill <= 5; fill++) await window.app.append(fill)
    }, PROTOCOL_VERSION)
    expect(await schemaVersion(page)).toBe(1)
    await app.close()
  },
)
