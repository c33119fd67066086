import { stopWorkers } from '../driver/worker-control.ts'
import { expect, test, WHOLE, LANDING } from '../fixtures.ts'
import { holdDatabaseAt } from '../in-page/database-hold.ts'
import { expectWhole } from './outcome.ts'
import { openScene, type Scene } from './kill-scene.ts'
import { loseCamera, storedNotes } from '../in-page/lose-camera.ts'
import { readBack } from '../read-back.ts'

/** A recording whose first chunk is acknowledged, and whose worker cannot store anything more. */
async function sceneWithoutAnswers(place: Omit<Scene, 'witness'>) {
  const scene = await openScene(place, { timesliceMs: 1_000 })
  const hold = holdDatabaseAt(scene.witness.page, 'uploading')
  await scene.witness.record()
  await hold.arrived
  await scene.witness.acknowledged(1)
  return { ...scene, hold }
}

// Promise 1 of docs/guarantees.md.
test(
  'the worker is stopped before it has answered for a chunk: the page hands it over again',
  { tag: LANDING },
  async ({ stack, launch, shared: browser }) => {
    const scene = await sceneWithoutAnswers({ ...stack, launch, browser })
    const { witness, hold } = scene
    await expect
      .poll(() => witness.page.getByTestId('ack-count').getAttribute('data-waiting'), { intervals: [50] })
      .not.toBe('0')
    await stopWorkers(witness.page)
    await hold.release()

    await witness.acknowledged(3)
    await witness.stop()
    await expectWhole(scene, { browser, pageLives: true }, 'complete')
  },
)

// Promise 1 of docs/guarantees.md.
test(
  'the worker is stopped while it is told that the recording is whole: the page tells it again',
  { tag: WHOLE },
  async ({ stack, launch, shared: browser }) => {
    const scene = await openScene({ ...stack, launch, browser }, { timesliceMs: 300 })
    const { witness } = scene
    await witness.record()
    await witness.acknowledged(2)
    // All chunks are acknowledged once the end is told; what is told then waits for the database.
    const told = witness.page.waitForFunction(() => Reflect.get(window, 'isTold') === true)
    await witness.page.evaluate(hold, 'session-end')
    await witness.page.getByTestId('stop-button').dispatchEvent('click')
    await told
    await stopWorkers(witness.page)
    await witness.page.evaluate(() => dispatchEvent(new Event('release-held')))

    await expect(witness.session()).toHaveAttribute('data-ending', 'complete')
    await expect(witness.session()).toHaveAttribute('data-upload', 'confirmed')
    await expectWhole(scene, { browser, pageLives: true }, 'complete')
  },
)

// Promise 1 of docs/guarantees.md.
test(
  'the worker is stopped before it has answered for a note: the page hands it over again, and it is there once',
  { tag: WHOLE },
  async ({ stack, launch, shared: browser }) => {
    const scene = await openScene({ ...stack, launch, browser }, { timesliceMs: 300 })
    const { witness } = scene
    await witness.record()
    await witness.acknowledged(2)
    const told = witness.page.waitForFunction(() => Reflect.get(window, 'isTold') === true)
    await witness.page.evaluate(hold, 'note')
    await loseCamera(witness.page)
    await told
    await stopWorkers(witness.page)
    await witness.page.evaluate(() => dispatchEvent(new Event('release-held')))
    await expect.poll(() => storedNotes(witness.page)).toBe(1)
    await witness.stop()
    const { name } = await expectWhole(scene, { browser, pageLives: true }, 'interrupted')
    const { session } = await readBack(stack.backend, name, witness.groupKey)
    expect(session.notes).toMatchObject([{ value: { holdfast: 'source', video: 'lost' } }])
  },
)

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
