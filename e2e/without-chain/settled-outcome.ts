import type { Backend } from '../backend/index.ts'
import type { RealBrowser } from '../driver/real-browser.ts'
import { anchored, expectNothingTwice, nameOf, witnessed, type LoggedEnding } from '../backend-oracle.ts'
import { openSession } from '../../src/verify/index.ts'
import { expect } from '../fixtures.ts'
import { storedChunks } from '../in-page/stored.ts'
import { readBack } from '../read-back.ts'
import { STORES } from '../stores.ts'
import { published, type StoredHead } from './settled-heads.ts'
import type { SettledScene } from './settled-scene.ts'

const sessionOf = (chunkId: string) => chunkId.slice(0, chunkId.lastIndexOf('/'))
const indexOf = (chunkId: string) => Number(chunkId.slice(chunkId.lastIndexOf('/') + 1))

export interface Aftermath {
  readonly browser: RealBrowser
  readonly pageLives: boolean
  readonly chain: boolean
}

/**
 * All that a death must leave true: the store has a signed head of the whole log, which lists every chunk that was
 * acknowledged; no object was sent twice, a reader gets the recorder's bytes from that head alone, the app was told of the
 * whole, and the device keeps none of it.
 */
export async function expectSettled(scene: SettledScene, after: Aftermath, ending: LoggedEnding) {
  const { backend, tab, sinceEntry } = scene
  const acknowledged = [...new Set(tab.acknowledgements)]
  const [id = ''] = new Set(acknowledged.map(sessionOf))
  expect(acknowledged.length).toBeGreaterThan(0)
  const indexes = acknowledged.map(indexOf)

  const atStore = after.chain ? undefined : await published(backend, id, ending, indexes.length, sinceEntry)
  const log = atStore ?? (await anchored(backend, id, ending, indexes.length))
  expect(log.chunks.map(({ index }) => index)).toEqual(expect.arrayContaining(indexes))
  if (ending === 'complete') expect(log.chunks.map(({ index }) => index)).toEqual([...tab.slices.keys()])

  const size = atStore?.newest.head.size ?? (await witnessed(backend, id))?.size
  await expectTold(scene, `${log.name}/${size}`, atStore?.newest)
  await expectNothingKept(scene, after, id)
  expectNothingTwice(backend, log, sinceEntry)
  if (atStore !== undefined) expectOneOfEach(backend, atStore.heads)
  await expectRecorderBytes(scene, atStore?.newest.address, indexes, id)
}

/** One head for each size, and each was stored by one request. */
function expectOneOfEach(backend: Backend, heads: readonly StoredHead[]) {
  expect(new Set(heads.map(({ head }) => head.size)).size).toBe(heads.length)
  const stores = Object.values(STORES)
  for (const { address } of heads) {
    const sends = backend.ledger
      .all()
      .filter(
        ({ key, changed, service, method }) =>
          key === address &&
          changed &&
          stores.some((store) => store.service === service && store.method === method),
      )
    expect(sends, 'sends of a head').toHaveLength(1)
  }
}

/** In the end the app's server was told of the whole log under its one key, and not before the store had its head. */
async function expectTold({ app }: SettledScene, key: string, head: StoredHead | undefined) {
  await expect.poll(() => app.told.at(-1)?.key, { intervals: [100] }).toBe(key)
  for (const told of app.told) {
    expect(told.key.split('/')[0]).toBe(key.split('/')[0])
    if (told.key === key && head !== undefined) expect(told.atMs).toBeGreaterThanOrEqual(head.atMs)
  }
}

async function expectNothingKept(scene: SettledScene, { browser, pageLives }: Aftermath, id: string) {
  const page = pageLives ? scene.tab.page : await visit(scene, browser)
  await expect(page.locator(`[data-testid=session][data-session-id="${id}"]`)).toHaveAttribute(
    'data-upload',
    'confirmed',
  )
  for (const chunk of await storedChunks(page))
    expect(chunk).toMatchObject({ status: 'confirmed', payloadHash: undefined })
}

async function visit({ launch, url }: SettledScene, browser: RealBrowser) {
  if (!browser.debuggable) await browser.kill()
  const { context } = browser.debuggable ? browser : await launch()
  const page = await context.newPage()
  await page.goto(url)
  return page
}

async function expectRecorderBytes(
  { backend, tab }: SettledScene,
  head: string | undefined,
  indexes: readonly number[],
  id: string,
) {
  const { gateway } = backend.endpoints
  const read = new Map<number, Uint8Array>()
  if (head === undefined)
    for (const { index, plaintext } of (await readBack(backend, await nameOf(backend, id), tab.groupKey))
      .proved)
      read.set(index, plaintext)
  else {
    const session = await openSession({ head, gateway, groupKey: tab.groupKey })
    expect(session.missingIndexes).toEqual([])
    for await (const chunk of session.chunks())
      if (chunk.verdict === 'proved') read.set(chunk.index, chunk.plaintext)
  }
  for (const index of indexes)
    expect(tab.slices[index]?.equals(read.get(index) ?? Buffer.alloc(0)), `bytes of chunk ${index}`).toBe(
      true,
    )
}
