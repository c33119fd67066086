import type { Page } from '@playwright/test'
import type { SessionName } from '../../src/protocol/ids.ts'
import type { RealBrowser } from '../driver/real-browser.ts'
import { expect } from '../fixtures.ts'
import { anchored, expectNothingTwice, type LoggedEnding, type PublishedLog } from '../backend-oracle.ts'
import { storedChunks } from '../in-page/stored.ts'
import { readBack } from '../read-back.ts'
import type { Scene } from './kill-scene.ts'

const sessionOf = (chunkId: string) => chunkId.slice(0, chunkId.lastIndexOf('/'))
const indexOf = (chunkId: string) => Number(chunkId.slice(chunkId.lastIndexOf('/') + 1))

/** The death will hit a chunk in this state, and every byte that the chain has not confirmed is on the device. */
export async function expectHeldAt({ tab }: Scene, status: string): Promise<void> {
  const chunks = await storedChunks(tab.page)
  expect(chunks.map((chunk) => chunk.status)).toContain(status)
  for (const chunk of chunks)
    expect(chunk.payloadHash, `bytes of chunk ${chunk.index} on the device`).toBe(
      chunk.status === 'confirmed' ? undefined : chunk.encryptedHash,
    )
}

/** What runs after the death. */
export interface Aftermath {
  readonly browser: RealBrowser
  /** The tab that recorded is still open. */
  readonly pageLives: boolean
}

/**
 * All that a death must leave true: the chain holds the whole log, it lists every chunk that was acknowledged, each is at
 * its store, nothing was sent twice, a reader gets the recorder's bytes, and the device keeps none of them.
 */
export async function expectWhole(
  scene: Scene,
  after: Aftermath,
  ending: LoggedEnding,
): Promise<PublishedLog> {
  const { backend, tab, sinceEntry } = scene
  const acknowledged = [...new Set(tab.acknowledgements)]
  const [first = ''] = acknowledged
  const sessionId = sessionOf(first)
  expect(acknowledged.length).toBeGreaterThan(0)
  expect(new Set(acknowledged.map(sessionOf))).toEqual(new Set([sessionId]))

  const log = await anchored(backend, sessionId, ending, acknowledged.length)
  const listed = log.chunks.map(({ index }) => index)
  expect(listed).toEqual(expect.arrayContaining(acknowledged.map(indexOf)))
  if (ending === 'complete') expect(listed).toEqual([...tab.slices.keys()])

  await expectNothingKept(scene, after, sessionId)
  expectNothingTwice(backend, log, sinceEntry)
  await expectRecorderBytes(scene, log.name, acknowledged.map(indexOf))
  return log
}

/** Asked last, because it may need a page: the engine says that it is done, and its database agrees. */
async function expectNothingKept(scene: Scene, { browser, pageLives }: Aftermath, sessionId: string) {
  const page = pageLives ? scene.tab.page : await visit(scene, browser)
  await expect(page.locator(`[data-testid=session][data-session-id="${sessionId}"]`)).toHaveAttribute(
    'data-upload',
    'confirmed',
  )
  for (const chunk of await storedChunks(page)) {
    expect(chunk).toMatchObject({ status: 'confirmed', payloadHash: undefined })
  }
}

async function visit({ url }: Scene, browser: RealBrowser): Promise<Page> {
  const context = await browser.attach()
  const page = await context.newPage()
  await page.goto(url)
  return page
}

async function expectRecorderBytes({ backend, tab }: Scene, name: SessionName, acknowledged: number[]) {
  const { groupKey, slices } = tab
  const read = await readBack(backend, name, groupKey)
  expect(read.session.missingIndexes).toEqual([])
  expect(read.session.forked).toEqual([])
  expect(read.bad).toEqual([])
  const verified = new Map(read.proved.map(({ index, plaintext }) => [index, plaintext]))
  for (const index of acknowledged) {
    const slice = slices[index]
    expect(slice, `slice ${index} reached the test`).toBeDefined()
    expect(slice?.equals(verified.get(index) ?? Buffer.alloc(0)), `bytes of chunk ${index}`).toBe(true)
  }
}
