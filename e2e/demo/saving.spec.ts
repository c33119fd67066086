import { lookIntoFile, playFile } from '../in-page/media-file.ts'
import { openDemo } from '../in-page/demo-tab.ts'
import { expect, test } from '../fixtures.ts'
import { LANDING } from '../test-size.ts'

/** Runs in the page: from a moment on the worker hears of no chunk. Notes when the recorder has given its last slice. */
function muteChunks(): void {
  const { start } = MediaRecorder.prototype
  MediaRecorder.prototype.start = function started(this: MediaRecorder, ...args: [number?]) {
    this.addEventListener('stop', () => Reflect.set(window, 'hasStopped', true))
    start.apply(this, args)
  }
  const post = ServiceWorker.prototype.postMessage
  ServiceWorker.prototype.postMessage = function postMessage(this: ServiceWorker, ...args: unknown[]) {
    const [data] = args
    const isChunk = typeof data === 'object' && data !== null && Reflect.get(data, 'type') === 'chunk'
    if (isChunk && Reflect.get(window, 'muted') === true) return
    Reflect.apply(post, this, args)
  }
}

test(
  'a worker that takes nothing any more: Stop says within a second what is safe, and the rest is had as a file',
  { tag: LANDING },
  async ({ stack, context }) => {
    const tab = await openDemo(context, { url: stack.url, first: muteChunks })
    const { page } = tab
    await tab.record()
    await tab.acknowledged(2)
    await page.evaluate(() => void Reflect.set(window, 'muted', true))
    await expect
      .poll(async () => Number(await page.getByTestId('ack-count').getAttribute('data-waiting')))
      .toBeGreaterThanOrEqual(2)

    // By the page's own timers, which come late where the page does.
    const tenths = await page.getByTestId('stop-button').evaluate(async (stop: HTMLElement) => {
      const recorder = stop.getRootNode() as ShadowRoot
      stop.click()
      const isOffered = () => recorder.querySelector('[data-testid=save-unsaved]') !== null
      let passed = 0
      for (; !isOffered(); passed++) await new Promise((resolve) => setTimeout(resolve, 100))
      return passed
    })
    expect(tenths).toBeLessThanOrEqual(10)
    await expect(page.getByText('are in this page only')).toBeVisible()

    await page.waitForFunction(() => Reflect.get(window, 'hasStopped') === true)
    await tab.allSlices()
    const saving = page.waitForEvent('download')
    await page.getByTestId('save-unsaved').click()
    const parts: Buffer[] = []
    for await (const part of await (await saving).createReadStream()) parts.push(part as Buffer)
    const file = Buffer.concat(parts)
    // It begins with the recorder's first slice, and the gap after that is no end of it.
    const recorded = await lookIntoFile(Buffer.concat(tab.slices))
    const found = await lookIntoFile(file)
    expect(found).toMatchObject({ hasCues: true, beginsWithKey: true })
    expect(found.lengthSeconds).toBeCloseTo(recorded.endsAtSeconds, 0)
    const played = await playFile(await context.newPage(), file, 'video/webm')
    expect(played.endedAt).toBeCloseTo(found.lengthSeconds ?? 0, 0)
  },
)
