import { expect, test, WHOLE, LANDING } from '../fixtures.ts'
import { openDemo, tap } from '../in-page/demo-tab.ts'

// Promise 1 of docs/guarantees.md.
test('room is told in minutes of video, found by trial, and its lack is warned of whatever the browser promises', async ({
  stack,
  context,
}) => {
  const { page } = await openDemo(context, { url: stack.url })
  await expect(page.getByTestId('storage-line')).toContainText(/Room for at least \d+ (min|h) more\./)
  await expect(page.getByTestId('storage-warning')).toBeHidden()

  // For as long as it is attached.
  const cdp = await context.newCDPSession(page)
  await cdp.send('Storage.overrideQuotaForOrigin', {
    origin: new URL(stack.url).origin,
    quotaSize: 20_000_000,
  })
  const promised = await page.evaluate(async () => (await navigator.storage.estimate()).quota ?? 0)
  expect(promised).toBeGreaterThan(1_000_000_000)
  await page.reload()
  await expect(page.getByTestId('storage-warning')).toContainText('less than two minutes of video have room')
  // A trial leaves nothing.
  const left = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory()
    const names: string[] = []
    for await (const name of (root as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name)
    return names
  })
  expect(left).toEqual([])
  await cdp.detach()
})

test(
  'storage is asked to be kept before the first recording begins',
  { tag: LANDING },
  async ({ stack, context }) => {
    const first = () => {
      const calls: string[] = []
      Reflect.set(window, 'calls', calls)
      const { storage } = navigator
      if (!storage?.persist) return
      const persist = storage.persist.bind(storage)
      storage.persist = () => {
        calls.push('persist')
        return persist()
      }
      const start = MediaRecorder.prototype.start
      MediaRecorder.prototype.start = function started(this: MediaRecorder, ...args: [number?]) {
        calls.push('start')
        start.apply(this, args)
      }
    }
    const tab = await openDemo(context, { url: stack.url, first })
    await tab.record()
    expect(await tab.page.evaluate(() => Reflect.get(window, 'calls') as string[])).toEqual([
      'persist',
      'start',
    ])
    await tab.stop()
  },
)

test(
  'a database that was evicted is noticed at the next visit: which recordings are gone, and what of them is safe',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { url, backend } = stack
    const tab = await openDemo(context, { url })
    await tab.record()
    await tab.acknowledged(4)
    await tab.stop()
    await expect(tab.session()).toHaveAttribute('data-upload', 'confirmed')
    backend.faults.add({ service: 'ipfs', kind: 'down' })
    await tab.record()
    await expect(tab.session()).toHaveAttribute('data-ending', 'recording')
    await expect
      .poll(async () => Number(await tab.page.getByTestId('ack-count').getAttribute('data-acknowledged')))
      .toBeGreaterThanOrEqual(4)
    await tap(tab.page.getByTestId('stop-button'))
    await expect(tab.page.getByTestId('recorder')).toHaveAttribute('data-state', 'idle')
    const kept = () => tab.page.evaluate(() => JSON.stringify(localStorage))
    await expect.poll(async () => (await kept()).split('lengthMs').length - 1).toBe(2)
    await tab.page.close()

    const blank = await context.newPage()
    const cdp = await context.newCDPSession(blank)
    const { origin } = new URL(url)
    await cdp.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb,service_workers' })
    const page = await context.newPage()
    await page.goto(url)
    const notice = page.locator('[part=lost]')
    await expect(notice).toContainText('2 recordings are gone from this device')
    await expect(notice.getByRole('listitem')).toHaveText([/is safe elsewhere\./, /is lost\./])
    await page.reload()
    await expect(notice).toBeVisible()
    await page.locator('[part=lost] button').click()
    await expect(notice).toBeHidden()
    await page.reload()
    await expect(page.getByTestId('record-button')).toBeEnabled()
    await expect(notice).toBeHidden()
  },
)

test(
  'a database that is deleted under an open page is noticed there: what is gone, and what helps; the next recording is kept',
  { tag: WHOLE },
  async ({ stack, context }) => {
    const { url, backend } = stack
    backend.faults.add({ service: 'ipfs', kind: 'down' })
    const tab = await openDemo(context, { url })
    const { page } = tab
    await tab.record()
    await tab.acknowledged(2)
    await tab.stop()
    const kept = () => page.evaluate(() => JSON.stringify(localStorage))
    await expect.poll(kept).toContain('lengthMs')
    await expect(page.getByTestId('recovery-banner')).toHaveAttribute('data-pending', '1')
    await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const deleting = indexedDB.deleteDatabase(`holdfast-2:${location.origin}/`)
          deleting.addEventListener('success', resolve)
          deleting.addEventListener('error', reject)
        }),
    )
    // The page asks within a minute, while something was on its way.
    const notice = page.locator('[part=lost]')
    await expect(notice).toContainText('A recording is gone from this device: its data were cleared.')
    await expect(notice).toContainText(
      'opens with the key of its group. Installing this app usually keeps the rest.',
    )
    await expect(notice.getByRole('listitem')).toHaveText([/is lost\./])
    await expect(page.getByTestId('recovery-banner')).toHaveAttribute('data-pending', '0')
    await page.setViewportSize({ width: 320, height: 568 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320)
    await page.locator('[part=lost] button').click()
    await expect(notice).toBeHidden()
    await tab.record()
    await expect(tab.session()).toHaveAttribute('data-ending', 'recording')
    await tap(page.getByTestId('stop-button'))
    await expect(tab.session()).toHaveAttribute('data-ending', 'complete')
    await expect(notice).toBeHidden()
  },
)
