import { ALL } from '../../sw/adapters/store/schema.ts'
import { forceCloseDatabases } from '../in-page/force-close.ts'
import { LANDING } from '../test-size.ts'
import { expect, test } from './store-page.ts'

test(
  'a connection that the browser closes by force is opened again at the next use',
  { tag: LANDING },
  async ({ page, context }) => {
    await page.evaluate(async () => {
      const store = window.storePage.idbStore('force-closed')
      await store.write((tx) => tx.putMeta('before', 1))
      Object.assign(window, { store })
    })
    await forceCloseDatabases(context)
    const found = await page.evaluate(async () => {
      const { store } = window as Window & { store?: ReturnType<typeof window.storePage.idbStore> }
      await store?.write((tx) => tx.putMeta('after', 2))
      return store?.read(async (tx) => [await tx.meta('before'), await tx.meta('after')])
    })
    expect(found).toEqual([1, 2])
  },
)

// Promise 1 of docs/guarantees.md.
test('a transaction that falls with its connection runs again, whole', async ({ page, context }) => {
  await page.evaluate(async () => {
    const store = window.storePage.idbStore('falls')
    await store.write((tx) => tx.putMeta('count', 0))
    const state = { runs: 0, over: false, done: Promise.resolve() }
    state.done = store.write(async (tx) => {
      state.runs++
      await tx.putMeta('count', Number(await tx.meta('count')) + 1)
      // Stays open on its first run until the browser ends it.
      while (state.runs === 1) await tx.head('' as never, 0)
      await tx.putMeta('second half', true)
    })
    Object.assign(window, { state, store })
  })
  await forceCloseDatabases(context)
  const found = await page.evaluate(async () => {
    const { state, store } = window as Window & {
      state?: { runs: number; done: Promise<void> }
      store?: ReturnType<typeof window.storePage.idbStore>
    }
    await state?.done
    const values = await store?.read(async (tx) => [await tx.meta('count'), await tx.meta('second half')])
    return { runs: state?.runs, values }
  })
  expect(found).toEqual({ runs: 2, values: [1, true] })
})

// Promise 1 of docs/guarantees.md.
test('opening that fails is tried three times in all, then told; the next use tries again', async ({
  page,
}) => {
  const told = await page.evaluate(async () => {
    const open = IDBFactory.prototype.open
    let fails = 0
    let asked = 0
    IDBFactory.prototype.open = function failing(...args) {
      // Not the database that turns the log over.
      if (args[0] !== 'hard to open') return open.apply(this, args)
      asked++
      if (fails-- > 0) throw new DOMException('Internal error opening backing store', 'UnknownError')
      return open.apply(this, args)
    }
    const store = window.storePage.idbStore('hard to open')
    const attempt = async (failures: number) => {
      fails = failures
      asked = 0
      const outcome = await store
        .write((tx) => tx.putMeta('x', 1))
        .then(
          () => 'written',
          (error: { code?: string; message?: string }) => `${error.code}: ${error.message}`,
        )
      return `${outcome} (${asked})`
    }
    return [await attempt(3), await attempt(2)]
  })
  expect(told).toEqual([
    'storage-failed: UnknownError: Internal error opening backing store (3)',
    'written (3)',
  ])
})

test('a newer version is let through at once; the older one then says so, and touches nothing', async ({
  page,
}) => {
  const told = await page.evaluate(async () => {
    const store = window.storePage.idbStore('upgraded')
    await store.write((tx) => tx.putMeta('kept', 1))
    const newer = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open('upgraded', 1_000)
      request.addEventListener('upgradeneeded', () => request.result.createObjectStore('of-the-future'))
      request.addEventListener('blocked', () => reject(new Error('The older version does not make way')))
      request.addEventListener('success', () => resolve(request.result))
    })
    const refusals = []
    for (const work of [
      () => store.read((tx) => tx.meta('kept')),
      () => store.write((tx) => tx.putMeta('kept', 2)),
    ])
      refusals.push(
        await work().then(
          () => 'done',
          (error: { code?: string; message?: string }) => `${error.code}: ${error.message}`,
        ),
      )
    const kept = await new Promise((resolve) => {
      const request = newer.transaction('meta').objectStore('meta').get('kept')
      request.addEventListener('success', () => resolve(request.result))
    })
    return { refusals, kept, stores: [...newer.objectStoreNames] }
  })
  const refusal = expect.stringMatching(/^storage-failed: VersionError: /) as unknown
  expect(told.refusals).toEqual([refusal, refusal])
  expect(told.kept).toBe(1)
  expect(told.stores).toEqual([...ALL, 'of-the-future'].toSorted())
})

test(
  'a database of that name that is not ours is reported, and left alone',
  { tag: LANDING },
  async ({ page }) => {
    const told = await page.evaluate(async () => {
      const strange = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open('strange', 1)
        request.addEventListener('upgradeneeded', () =>
          request.result.createObjectStore('theirs').put('x', 'y'),
        )
        request.addEventListener('success', () => resolve(request.result))
      })
      const refusal = await window.storePage
        .idbStore('strange')
        .read((tx) => tx.meta('x'))
        .then(
          () => 'done',
          (error: { code?: string }) => error.code,
        )
      const theirs = await new Promise((resolve) => {
        const request = strange.transaction('theirs').objectStore('theirs').get('y')
        request.addEventListener('success', () => resolve(request.result))
      })
      return { refusal, theirs }
    })
    expect(told).toEqual({ refusal: 'storage-failed', theirs: 'x' })
  },
)
