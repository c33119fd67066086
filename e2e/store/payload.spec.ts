import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '../fixtures.ts'
import { expectNothingTwice, logged } from '../backend-oracle.ts'
import { openApp, serveVersions } from '../update/versions.ts'

/** The files of an origin's IndexedDB Blobs that have exactly this size. */
async function blobFiles(profile: string, origin: string, sizeBytes: number): Promise<string[]> {
  const ofOrigin = origin.replace('://', '_').replace(':', '_')
  const folder = join(profile, 'Default', 'IndexedDB', `${ofOrigin}.indexeddb.blob`)
  const found = []
  for (const name of await readdir(folder, { recursive: true })) {
    const file = join(folder, name)
    const { size } = await stat(file)
    if (size === sizeBytes) found.push(file)
  }
  return found
}

// Promises 2, 5 of docs/guarantees.md.
test('bytes that changed, are gone, or cannot be read park their chunk alone; the others are anchored', async ({
  stack,
  shared: { context, profile },
}) => {
  const { backend, sinceEntry } = stack
  const app = await serveVersions(backend.endpoints)
  const page = await openApp(context, app)
  await backend.pause()
  const id = await page.evaluate(() => window.app.begin(1))
  for (let index = 0; index < 6; index++)
    await page.evaluate(
      (at) => window.app.session?.append(new Blob([new Uint8Array(40_000 + at).fill(at)])),
      index,
    )
  await page.evaluate(() => window.app.session?.end())

  await page.evaluate(async (sessionId) => {
    const db = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(`holdfast-2:${location.origin}/`)
      request.addEventListener('success', () => resolve(request.result))
    })
    const tx = db.transaction('payloads', 'readwrite')
    tx.objectStore('payloads').put(new Blob([new Uint8Array(40_017)]), `${sessionId}/1`)
    tx.objectStore('payloads').delete(`${sessionId}/2`)
    await new Promise((resolve) => tx.addEventListener('complete', resolve))
    db.close()
  }, id)
  // The ciphertext of chunk 4: its bytes and the tag.
  const files = await blobFiles(profile, app.url, 40_004 + 16)
  expect(files).toHaveLength(1)
  for (const file of files) await rm(file)

  await backend.unpause()
  await page.evaluate(() => window.app.connect())
  const chunkStates = () =>
    page.evaluate(async () => {
      const session = (await window.app.holdfast?.sessions())?.[0]
      const chunks = session && (await window.app.holdfast?.chunks(session.id))
      return chunks?.map(({ status, parked, lastError }) => (parked ? `parked: ${lastError?.code}` : status))
    })
  await expect
    .poll(chunkStates)
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
})

// Promises 2, 5 of docs/guarantees.md.
test('a Blob that changed, or cannot be read, is sent unread and parks its chunk alone; the others are anchored', async ({
  stack,
  shared: { context, profile },
}) => {
  const { backend, sinceEntry } = stack
  const app = await serveVersions(backend.endpoints, 'put')
  const page = await openApp(context, app)
  const id = await page.evaluate(() => window.app.begin(1))
  await page.evaluate(() => window.app.holdfast?.setPolicy('paused'))
  const cut = Array.from({ length: 12 }, (_none, index) => index)
  for (const index of cut)
    await page.evaluate(
      (at) => window.app.session?.append(new Blob([new Uint8Array(50_000 + at).fill(at)])),
      index,
    )
  await page.evaluate(() => window.app.session?.end())
  await page.evaluate(async (sessionId) => {
    const db = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(`holdfast-2:${location.origin}/`)
      request.addEventListener('success', () => resolve(request.result))
    })
    const tx = db.transaction('payloads', 'readwrite')
    // As large as the ciphertext that was there.
    tx.objectStore('payloads').put(new Blob([new Uint8Array(50_010 + 16)]), `${sessionId}/10`)
    await new Promise((resolve) => tx.addEventListener('complete', resolve))
    db.close()
  }, id)
  const files = await blobFiles(profile, app.url, 50_011 + 16)
  expect(files).toHaveLength(1)
  for (const file of files) await rm(file)

  await page.evaluate(() => window.app.holdfast?.setPolicy('always'))
  const chunkStates = () =>
    page.evaluate(async () => {
      const session = (await window.app.holdfast?.sessions())?.[0]
      const chunks = session && (await window.app.holdfast?.chunks(session.id))
      return chunks?.map(({ status, parked, lastError }) => (parked ? `parked: ${lastError?.code}` : status))
    })
  await expect
    .poll(chunkStates)
    .toEqual([
      ...cut.slice(0, 10).map(() => 'confirmed'),
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
})
