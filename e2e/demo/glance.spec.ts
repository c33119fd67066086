import type { Page } from '@playwright/test'
import { leavePending } from '../in-page/pending.ts'
import { shiftsOf, sumShifts } from '../in-page/shifts.ts'
import { openDemo } from '../in-page/demo-tab.ts'
import { expect, test, LANDING, WHOLE } from '../fixtures.ts'

// What is most in the way is in every run.
for (const pending of [0, 1, 21])
  test(
    `with ${pending} recordings on their way, Record and Stop are in view on a small phone, and nothing moves`,
    { tag: pending === 1 ? WHOLE : LANDING },
    async ({ stack, context }) => {
      const { page, ...tab } = await openDemo(context, { url: stack.url })
      await leavePending(page, pending)
      await page.addInitScript(sumShifts)
      for (const [width, height] of [
        [360, 640],
        [320, 568],
        [1280, 800],
      ] as const) {
        await page.setViewportSize({ width, height })
        await page.reload()
        const banner = page.getByTestId('recovery-banner')
        await expect(banner).toHaveAttribute('data-pending', String(pending))
        await expect(page.getByTestId('session')).toHaveCount(pending)
        const record = page.getByTestId('record-button')
        await expect(record).toBeEnabled()
        await expect(record).toBeInViewport({ ratio: 1 })
        const { sum, moved } = await shiftsOf(page)
        expect(sum, `${width}: ${moved}`).toBeLessThanOrEqual(0.02)
        // Nor while only its beginning has come: a page that is short yet is no wider.
        expect(await widthWithout(page, 'main')).toBe(await page.evaluate(() => document.body.clientWidth))
        // As wide as the screen, and no wider.
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
      }
      await page.setViewportSize({ width: 320, height: 568 })
      await tab.record()
      await expect(page.getByTestId('stop-button')).toBeInViewport({ ratio: 1 })
      await expect(page.locator('[part=timer]')).toBeInViewport({ ratio: 1 })
      await tab.stop()
    },
  )

const widthWithout = (page: Page, part: string) =>
  page.locator(part).evaluate((element: HTMLElement) => {
    element.style.display = 'none'
    const width = document.body.clientWidth
    element.style.display = ''
    return width
  })

test('what is on its way is told in seconds, and what only a person can mend has its remedy beside it', async ({
  stack,
  context,
}) => {
  const { page } = await openDemo(context, { url: stack.url })
  await leavePending(page, 3)
  await page.reload()
  const banner = page.getByTestId('recovery-banner')
  const urgent = page.getByTestId('urgent')
  await expect(banner).toHaveAttribute('data-pending', '3')
  await expect(page.locator('#here-value')).toHaveText('00:03')
  await expect(page.locator('#elsewhere-value')).toHaveText('00:00')
  await expect(urgent).toHaveText('Uploads are off: 00:03 is on this device only.')
  const [session] = [page.getByTestId('session').first()]
  await expect(session.getByRole('heading')).toHaveText('Uploads are off')

  await page.locator('[part=remedy]').click()
  await expect(page.getByTestId('policy')).toHaveValue('always')
  await expect(banner).toHaveAttribute('data-pending', '0')
  await expect(urgent).toHaveText('Nothing waits on this device.')
  // What is proved is still safe elsewhere.
  await expect(page.locator('#elsewhere-value')).toHaveText('00:03')
  await expect(page.locator('#here-value')).toHaveText('00:00')
})
