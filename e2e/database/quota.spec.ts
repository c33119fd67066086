import { expect, test } from './store-page.ts'

// Promise 9 of docs/guarantees.md.
test('a full device refuses bytes, and still takes the records that free it again', async ({ page }) => {
  const told = await page.evaluate(async () => {
    const { storageBuckets } = navigator as Navigator & {
      storageBuckets?: { open(name: string, options: object): Promise<{ indexedDB: IDBFactory }> }
    }
    const small = await storageBuckets?.open('small', { quota: 6 * 1024 * 1024 })
    if (small === undefined) throw new Error('This browser has no Storage Buckets.')
    Object.defineProperty(globalThis, 'indexedDB', { value: small.indexedDB })
    const store = window.storePage.idbStore('full')
    const codeOf = (work: Promise<unknown>) =>
      work.then(
        () => 'done',
        (error: { code?: string }) => error.code,
      )

    type Id = Parameters<typeof store.payload>[0]
    const bytes = crypto.getRandomValues(new Uint8Array(60_000)).buffer
    let held = 0
    let refusal: string | undefined
    while (refusal === undefined && held < 1_000) {
      const code = await codeOf(store.write((tx) => tx.putPayload(`chunk/${held}` as Id, bytes)))
      if (code === 'done') held++
      else refusal = code
    }
    const halves = await codeOf(
      store.write(async (tx) => {
        await tx.putMeta('half', 1)
        await tx.putPayload('chunk/refused' as Id, bytes)
      }),
    )
    const half = await store.read((tx) => tx.meta('half'))
    // What uploading and confirming many chunks writes.
    const records = []
    for (let at = 0; at < 150; at++)
      records.push(await codeOf(store.write((tx) => tx.putMeta(`record ${at % 50}`, 'x'.repeat(1_000)))))
    const replaced = await codeOf(store.write((tx) => tx.putPayload('chunk/0' as Id, bytes)))
    // Room comes back with deleted bytes, for the reserve first and then for a new payload.
    let again: string | undefined = 'storage-full'
    for (let freed = 1; again === 'storage-full' && freed < held; freed++) {
      await store.write((tx) => tx.deletePayload(`chunk/${freed}` as Id))
      again = await codeOf(store.write((tx) => tx.putPayload('chunk/again' as Id, bytes)))
    }
    const first = new Uint8Array(await store.payload('chunk/0' as Id))
    return {
      held,
      refusal,
      halves,
      half,
      records: [...new Set(records)],
      replaced,
      again,
      read: first.byteLength,
    }
  })
  expect(told).toMatchObject({
    refusal: 'storage-full',
    halves: 'storage-full',
    half: undefined,
    records: ['done'],
    replaced: 'done',
    again: 'done',
    read: 60_000,
  })
  // How many there is room for beside the reserve depends on when the browser tidies its files up.
  expect(told.held).toBeGreaterThan(1)
})
