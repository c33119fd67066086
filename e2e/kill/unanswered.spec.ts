import { stopWorkers } from '../driver/worker-control.ts'
import { expect, test, WHOLE, LANDING } from '../fixtures.ts'
import { holdDatabaseAt } from '../in-page/database-hold.ts'
import type { DemoTab } from '../in-page/demo-tab.ts'
import { expectWhole } from './outcome.ts'
import { openScene, type Scene } from './kill-scene.ts'
import { loseCamera, storedNotes } from '../in-page/lose-camera.ts'
import { readBack } from '../read-back.ts'

/** A recording whose first chunk is acknowledged, and whose worker cannot store anything more. */
async function sceneWithoutAnswers(place: Omit<Scene, 'tab'>) {
  const scene = await openScene(place, { timesliceMs: 1_000 })
  const hold = holdDatabaseAt(scene.tab.page, 'uploading')
  await scene.tab.record()
  await hold.arrived
  await scene.tab.acknowledged(1)
  return { ...scene, hold }
}

// Promise 1 of docs/guarantees.md.
test(
  'the worker is stopped before it has answered for a chunk: the page hands it over again',
  { tag: LANDING },
  async ({ stack, launch, shared: browser }) => {
    const scene = await sceneWithoutAnswers({ ...stack, launch, browser })
    const { tab, hold } = scene
    await expect
      .poll(() => tab.page.getByTestId('ack-count').getAttribute('data-waiting'), { intervals: [50] })
      .not.toBe('0')
    await stopWorkers(tab.page)
    await hold.release()

    await tab.acknowledged(3)
    await tab.stop()
    await expectWhole(scene, { browser, pageLives: true }, 'complete')
  },
)

// Promise 1 of docs/guarantees.md.
test(
  'the worker is stopped while it is told that the recording is whole: the page tells it again',
  { tag: WHOLE },
  async ({ stack, launch, shared: browser }) => {
    const scene = await openScene({ ...stack, launch, browser }, { timesliceMs: 300 })
    const { tab } = scene
    // All chunks are acknowledged once the end is told; what is told then waits for the database.
    await stopWorkerBeforeAnswer(tab, 'session-end', () =>
      tab.page.getByTestId('stop-button').dispatchEvent('click'),
    )

    await expect(tab.session()).toHaveAttribute('data-ending', 'complete')
    await expect(tab.session()).toHaveAttribute('data-upload', 'confirmed')
    await expectWhole(scene, { browser, pageLives: true }, 'complete')
  },
)

// Promise 1 of docs/guarantees.md.
test(
  'the worker is stopped before it has answered for a note: the page hands it over again, and it is there once',
  { tag: WHOLE },
  async ({ stack, launch, shared: browser }) => {
    const scene = await openScene({ ...stack, launch, browser }, { timesliceMs: 300 })
    const { tab } = scene
    await stopWorkerBeforeAnswer(tab, 'note', () => loseCamera(tab.page))
    await expect.poll(() => storedNotes(tab.page)).toBe(1)
    await tab.stop()
    const { name } = await expectWhole(scene, { browser, pageLives: true }, 'interrupted')
    const { session } = await readBack(stack.backend, name, tab.groupKey)
    expect(session.notes).toMatchObject([{ value: { holdfast: 'source', video: 'lost' } }])
  },
)

/** Records, has the page post a message of this type, and stops the worker while it cannot store what that says. */
async function stopWorkerBeforeAnswer(
  tab: DemoTab,
  type: 'session-end' | 'note',
  post: () => Promise<void>,
): Promise<void> {
  const { page } = tab
  await tab.record()
  await tab.acknowledged(2)
  const told = page.waitForFunction(() => Reflect.get(window, 'isTold') === true)
  await page.evaluate(hold, type)
  await post()
  await told
  await stopWorkers(page)
  await page.evaluate(() => dispatchEvent(new Event('release-held')))
}

/** Runs in the page: a message of this type is posted once the worker cannot store what it says. */
function hold(type: string): void {
  const { postMessage } = ServiceWorker.prototype
  const released = new AbortController()
  addEventListener('release-held', () => released.abort())
  const keepOpen = (chunks: IDBObjectStore) => {
    if (!released.signal.aborted) chunks.count().addEventListener('success', () => keepOpen(chunks))
  }
  ServiceWorker.prototype.postMessage = function post(this: ServiceWorker, ...message: unknown[]) {
    const [data] = message
    const send = () => Reflect.apply(postMessage, this, message)
    const isIt = typeof data === 'object' && data !== null && 'type' in data && data.type === type
    if (!isIt || released.signal.aborted) return send()
    const opening = indexedDB.open(`holdfast-2:${location.origin}/`)
    opening.addEventListener('success', () => {
      const chunks = opening.result.transaction('chunks', 'readwrite').objectStore('chunks')
      chunks.count().addEventListener('success', () => {
        keepOpen(chunks)
        send()
        Reflect.set(window, 'isTold', true)
      })
    })
  }
}
