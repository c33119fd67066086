import { randomUUID } from 'node:crypto'
import type { Page, Worker } from '@playwright/test'
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import type { LedgerEntry } from '../backend/index.ts'
import { expect, test, LANDING } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { workerOf } from '../driver/worker-control.ts'
import { post, postChunk, startSession } from '../in-page/messages.ts'
import { registrationOf } from './registration.ts'

const TABS = 8
const CHUNKS = 4
const HELLOS = 10
/** As sw/core/lanes.ts has it. */
const MAX_LANES = 5

// Held uploads are waited for however long the eight tabs take.
test.use({ workerName: 'patient' })

// Promise 4 of docs/guarantees.md.
test(
  `${TABS} tabs, their messages, five sync tags, a push and a period at once are one drain`,
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, url, sinceEntry } = stack
    const pages = await Promise.all(Array.from({ length: TABS }, () => context.newPage()))
    const [observer] = pages
    if (observer === undefined) throw new Error('unreachable')
    const cdp = await context.newCDPSession(observer)
    const registered = registrationOf(cdp, url)
    // One with the app is enough for all: what the others post needs no more than the origin.
    for (const page of pages) await page.goto(page === observer ? url : `${url}/a-tab-of-the-origin`)
    const addressee = await registered
    const worker = await workerOf(context, url)
    await countWakes(worker)

    const uploads = backend.faults.add({ service: 'ipfs', match: '/add', kind: 'hold' })
    const recordings = pages.map((page, at) => ({ page, at, id: randomUUID() }))
    const tags = [
      'workbox-background-sync:holdfast',
      ...[0, 1, 2, 3].map((kind) => `holdfast-sync:${kind}:1`),
    ]
    await Promise.all([
      ...recordings.map(({ page, at, id }) => record(page, at, id)),
      ...tags.map((tag) =>
        cdp.send('ServiceWorker.dispatchSyncEvent', { ...addressee, tag, lastChance: false }),
      ),
      cdp.send('ServiceWorker.deliverPushMessage', { ...addressee, data: '' }),
      cdp.send('ServiceWorker.dispatchPeriodicSyncEvent', { ...addressee, tag: 'any' }),
    ])
    await uploads.arrived
    // Each of them is under way: an event ends when its drain does. In which order they come is nobody's promise.
    const heard = async () => {
      const { push, periodicsync, sync } = await wakesOf(worker)
      return { push, periodicsync, isEachTagThere: sync >= tags.length }
    }
    await expect.poll(heard).toEqual({ push: 1, periodicsync: 1, isEachTagThere: true })
    expect((await wakesOf(worker)).message).toBeGreaterThanOrEqual(TABS * (1 + CHUNKS + HELLOS))
    expect(await drainLocks(observer)).toEqual({ held: 1, pending: 0 })
    uploads.release()

    const sends: LedgerEntry[] = []
    for (const { page, id } of recordings) {
      expect(
        await post(page, { holdfast: PROTOCOL_VERSION, type: 'session-end', sessionId: id }),
      ).toMatchObject({ ok: true })
      const log = await anchored(backend, id, 'complete', CHUNKS)
      expectNothingTwice(backend, log, sinceEntry)
      const cids = new Set(log.chunks.map(({ cid }) => String(cid)))
      sends.push(
        ...backend.ledger.all().filter(({ key, path }) => path.endsWith('/add') && cids.has(key ?? '')),
      )
    }
    expect(sends).toHaveLength(TABS * CHUNKS)
    expect(mostAtOnce(sends)).toBeLessThanOrEqual(MAX_LANES)
  },
)

/** A recording of this tab's own, with bytes that no other has, and greetings in between. */
async function record(page: Page, at: number, id: string): Promise<void> {
  expect(await startSession(page, id)).toMatchObject({ ok: true })
  const answers = await Promise.all([
    ...Array.from({ length: CHUNKS }, (_, index) =>
      postChunk(page, { sessionId: id, index, sizeBytes: 10_000, fill: at * CHUNKS + index }),
    ),
    ...Array.from({ length: HELLOS }, () => post(page, { holdfast: PROTOCOL_VERSION, type: 'hello' })),
  ])
  for (const answer of answers) expect(answer).toMatchObject({ ok: true })
}

type Wakes = Readonly<Record<'message' | 'sync' | 'push' | 'periodicsync', number>>

/** Has the worker count its events from now on. */
const countWakes = (worker: Worker) =>
  worker.evaluate(() => {
    const wakes: Record<string, number> = { message: 0, sync: 0, push: 0, periodicsync: 0 }
    for (const type of Object.keys(wakes))
      addEventListener(type, () => {
        wakes[type] = (wakes[type] ?? 0) + 1
      })
    Object.assign(globalThis, { wakes })
  })

const wakesOf = (worker: Worker): Promise<Wakes> => worker.evaluate(() => Reflect.get(globalThis, 'wakes'))

/** Who holds the drain's lock, and who waits for it, in the whole origin. */
const drainLocks = (page: Page) =>
  page.evaluate(async () => {
    const { held = [], pending = [] } = await navigator.locks.query()
    const drains = (locks: LockInfo[]) =>
      locks.filter(({ name }) => name === `holdfast-drain:${location.origin}/`).length
    return { held: drains(held), pending: drains(pending) }
  })

/** How many of these requests were under way together, at the most. */
const mostAtOnce = (requests: readonly LedgerEntry[]) =>
  Math.max(
    ...requests.map(
      ({ at: now }) => requests.filter(({ at, durationMs = 0 }) => at <= now && now < at + durationMs).length,
    ),
  )
