import { encodeKey } from '../../src/demo/group-key.ts'
import { expect, test, LANDING } from '../fixtures.ts'
import { leavePending } from '../in-page/pending.ts'
import { loseSource } from '../in-page/sources.ts'
import { openDemo, pressOn } from '../in-page/demo-tab.ts'

/** Runs in the page: the browser may clear what is here. */
function refuseToKeep(): void {
  if (navigator.storage) navigator.storage.persist = async () => false
}

test(
  'by keyboard, what takes its own button away leaves the focus where the person goes on: install, notices, discard, traces, the remedies, the reader’s form',
  { tag: LANDING },
  async ({ stack, context }) => {
    const tab = await openDemo(context, { url: stack.url, first: refuseToKeep })
    const { page, groupKey } = tab
    const install = page.getByTestId('install')
    const group = page.getByTestId('group-select')
    const canary = () => page.evaluate(() => JSON.stringify(localStorage))
    await page.evaluate(() => {
      const prompt = async () => undefined
      dispatchEvent(Object.assign(new Event('beforeinstallprompt', { cancelable: true }), { prompt }))
    })

    await tab.record()
    await tab.acknowledged(1)
    await tab.stop()
    // A recording that has lost all it was made of says so, and is put away.
    await tab.record()
    await tab.acknowledged(1)
    await loseSource(page)
    const dismiss = page.getByRole('button', { name: 'Dismiss' })
    await pressOn(dismiss)
    await expect(page.getByTestId('record-button')).toBeFocused()

    await pressOn(install)
    await expect(install).toBeHidden()
    await expect(page.locator('.help summary')).toBeFocused()

    await page.evaluate(() => {
      const { postMessage } = ServiceWorker.prototype
      ServiceWorker.prototype.postMessage = function (message: { policy?: string }, ...rest: [never]) {
        if (message.policy) throw new Error('No.')
        postMessage.call(this, message, ...rest)
      }
    })
    // What cannot be chosen is told above all else.
    await page.getByTestId('policy').selectOption('unmetered')
    await pressOn(dismiss)
    await expect(group).toBeFocused()

    const sessions = page.getByTestId('session')
    await expect(page.locator('[data-upload=confirmed]')).toHaveCount(2)
    await expect.poll(async () => (await canary()).split('lengthMs').length - 1).toBe(2)
    const before = await canary()
    await pressOn(sessions.first().getByTestId('discard-button'))
    await pressOn(page.getByTestId('discard-confirm'))
    await expect(sessions).toHaveCount(1)
    await expect(page.locator('#sessions')).toBeFocused()
    await pressOn(page.getByTestId('traces'))
    await pressOn(page.getByTestId('traces-confirm'))
    await expect(sessions).toHaveCount(0)
    await expect(page.locator('#traces-words')).toBeFocused()

    // As if the browser had cleared them, on their way: of a confirmed one alone it is taken for a discard.
    const onTheirWay = before.replaceAll('isConfirmed\\":true', 'isConfirmed\\":false')
    await page.evaluate((all) => Object.assign(localStorage, JSON.parse(all) as object), onTheirWay)
    await page.reload()
    await pressOn(page.locator('[part=lost] button'))
    await expect(page.locator('[part=lost]')).toBeHidden()
    await expect(page.getByTestId('urgent')).toBeFocused()

    stack.backend.faults.add({ service: 'ipfs', kind: 'down' })
    await leavePending(page, 1)
    await page.reload()
    const remedy = page.locator('[part=remedy]')
    await expect(remedy).toHaveText('Upload now')
    await pressOn(remedy)
    await expect(remedy).toBeHidden()
    await expect(page.getByTestId('urgent')).toBeFocused()
    await pressOn(sessions.first().getByTestId('pause-button'))
    const banner = page.getByTestId('recovery-banner')
    await pressOn(banner.locator('summary'))
    await pressOn(banner.getByTestId('resume-button'))
    await expect(banner.getByTestId('resume-button')).toBeHidden()
    await expect(banner.getByRole('list')).toBeFocused()

    await pressOn(sessions.first().getByTestId('discard-button'))
    await pressOn(page.getByTestId('discard-understood'), 'Space')
    await pressOn(page.getByTestId('discard-confirm'))
    await expect(page.getByTestId('sessions-empty')).toBeFocused()

    await page.goto(`${stack.url}/read.html`)
    await page.getByTestId('reader-key').fill(encodeKey(groupKey))
    await pressOn(page.getByTestId('reader-open'))
    await expect(page.getByTestId('reader-status')).toBeFocused()
  },
)
