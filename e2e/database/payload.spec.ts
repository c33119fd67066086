import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { expect, test, LANDING } from '../fixtures.ts'
import { expectNothingTwice, logged } from '../backend-oracle.ts'
import { openApp, serveVersions } from '../update/versions.ts'

/** What sealing adds to a chunk. */
const TAG_BYTES = 16

/** A recording of so many chunks, each a byte longer than the one before, which its page has ended. */
async function recordChunks(page: Page, count: number, leastBytes: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await page.evaluate(
      ([at, sizeBytes]) => window.app.session?.append(new Blob([new Uint8Array(sizeBytes).fill(at)])),
      [index, leastBytes + index] as const,
    )
  await page.evaluate(() => window.app.session?.end())
}

/** Zeros, so many, instead of these chunks' bytes; or nothing. */
async function damage(page: Page, sizes: Readonly<Record<string, number | undefined>>): Promise<void> {
  await page.evaluate(async (damaged) => {
    const db = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(`holdfast-2:${location.origin}/`)
      request.addEventListener('success', () => resolve(request.result))
    })
    const tx = db.transaction('payloads', 'readwrite')
    for (const [id, sizeBytes] of damaged)
      if (sizeBytes === undefined) tx.objectStore('payloads').delete(id)
      else tx.objectStore('payloads').put(new Blob([new Uint8Array(sizeBytes)]), id)
    await new Promise((resolve) => tx.addEventListener('complete', resolve))
    db.close()
  }, Object.entries(sizes))
}

/** The one file of an origin's IndexedDB Blobs that has exactly this size is gone. */
async function removeBlob(profile: string, origin: string, sizeBytes: number): Promise<void> {
  const ofOrigin = origin.replace('://', '_').replace(':', '_')
  const folder = join(profile, 'Default', 'IndexedDB', `${ofOrigin}.indexeddb.blob`)
  const found = []
  for (const name of await readdir(folder, { recursive: true })) {
    const file = join(folder, name)
    // The browser may be taking away what was replaced.
    const { size } = (await stat(file).catch(() => undefined)) ?? {}
    if (size === sizeBytes) found.push(file)
  }
  expect(found).toHaveLength(1)
  for (const file of found) await rm(file)
}

/** What the worker says of each chunk of the only session. */
const chunkStates = (page: Page) =>
  page.evaluate(async () => {
    const session = (await window.app.holdfast?.sessions())?.[0]
    const chunks = session && (await window.app.holdfast?.chunks(session.id))
    return chunks?.map(({ status, parked, lastError }) => (parked ? `parked: ${lastError?.code}` : status))
  })

// Promises 2, 5 of docs/guarantees.md.
test(
  'bytes that changed, are gone, or cannot be read park their chunk alone; the others are anchored',
  { tag: LANDING },
  async ({ stack, shared: { context, profile } }) => {
    const { backend, sinceEntry } = stack
    const app = await serveVersions(backend.endpoints)
    const page = await openApp(context, app)
    await backend.pause()
    const id = await page.evaluate(() => window.app.begin(1))
    await recordChunks(page, 6, 40_000)

    await damage(page, { [`${id}/1`]: 40_017, [`${id}/2`]: undefined })
    // The ciphertext of chunk 4: its bytes and the tag.
    await removeBlob(profile, app.url, 40_004 + TAG_BYTES)

    await backend.unpause()
    await page.evaluate(() => window.app.connect())
    await expect
      .poll(() => chunkStates(page))
      .toEqual([
        'confirmed',
        'parked: payload-corrupt',
        'parked: payload-unreadable',
        'confirmed',
        'parked: payload-unreadable',
        'confirmed',
      ])
    // The log tells of all that was acknowledged, and the chain holds it; the store has what can be read.
    const { chunks, pages } = await logged(backend, id, 'complete', 6)
    const sent = chunks.filter(({ index }) => [0, 3, 5].includes(index))
    expectNothingTwice(backend, { chunks: sent, pages }, sinceEntry)
    const [snapshot] = (await page.evaluate(() => window.app.holdfast?.sessions())) ?? []
    expect(snapshot).toMatchObject({ parked: 3, upload: 'uploading', chunks: { confirmed: 3, uploading: 3 } })
    expect(snapshot?.lastError?.code).toMatch(/^payload-/)
    await app.close()
  },
)

// Promises 2, 5 of docs/guarantees.md.
test(
  'a Blob that changed, or cannot be read, is sent unread and parks its chunk alone; the others are anchored',
  { tag: LANDING },
  async ({ stack, shared: { context, profile } }) => {
    const { backend, sinceEntry } = stack
    const app = await serveVersions(backend.endpoints, 'put')
    const page = await openApp(context, app)
    const id = await page.evaluate(() => window.app.begin(1))
    await page.evaluate(() => window.app.holdfast?.setPolicy('paused'))
    await recordChunks(page, 12, 50_000)
    // As large as the ciphertext that was there.
    await damage(page, { [`${id}/10`]: 50_010 + TAG_BYTES })
    await removeBlob(profile, app.url, 50_011 + TAG_BYTES)

    await page.evaluate(() => window.app.holdfast?.setPolicy('always'))
    await expect
      .poll(() => chunkStates(page))
      .toEqual([
        ...Array.from({ length: 10 }, () => 'confirmed'),
        'parked: payload-corrupt',
        'parked: payload-unreadable',
      ])
    // The changed one was refused by its store, so that nothing had read it here before.
    const refused = backend.ledger
      .all()
      .slice(sinceEntry)
      .filter(({ method, status }) => method === 'PUT' && status === 400)
    expect(refused).toHaveLength(1)
    await app.close()
  },
)
