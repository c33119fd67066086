import { join } from 'node:path'
import type { Page } from '@playwright/test'
import type { Answers } from '../../src/protocol/messages.ts'
import { BUILT } from '../built-scripts.ts'
import { serveDemo } from '../demo-site.ts'
import { expect, test, LANDING } from '../fixtures.ts'
import { gated } from '../in-page/gated-store.ts'
import { ask } from '../in-page/messages.ts'
import { leavePending } from '../in-page/pending.ts'
import { openDemo } from '../in-page/demo-tab.ts'

test(
  'signed out where recordings are kept: to sign in again is beside the words, by a button that says for which, and then it goes on',
  { tag: LANDING },
  async ({ backend, context }) => {
    const store = await gated(backend.endpoints.ipfs, 'Bearer of-this-test')
    const endpoints = { ...backend.endpoints, ipfs: store.url }
    const site = await serveDemo({ endpoints, folder: join(BUILT, 'demo') })
    const { page } = await openDemo(context, { url: site.url })
    await leavePending(page, 2)
    await ask(page, { type: 'policy', policy: 'always' })
    await page.reload()
    const remedy = page.locator('[part=remedy]')
    const banner = page.getByTestId('recovery-banner')
    await expect(page.locator('#you-value')).toHaveText('2')
    await expect(page.getByTestId('urgent')).toHaveText('You are signed out where the recordings are kept.')
    await expect(remedy).toHaveText('Sign in')
    await banner.locator('summary').click()
    const ofOne = /^Sign in for the recording of/
    await expect(banner.getByRole('button', { name: ofOne })).toHaveCount(2)
    await expect(page.getByTestId('session').first().getByRole('button', { name: ofOne })).toBeVisible()

    // Given up, and with a code that is not the one, nothing is lost.
    await remedy.click()
    const code = page.getByTestId('sign-in-code')
    await expect(code).toBeFocused()
    await page.getByTestId('sign-in-go').click()
    await expect(code).toBeFocused()
    await page.keyboard.press('Escape')
    await expect(remedy).toBeFocused()
    await expect.poll(() => parked(page)).toBe(4)
    const before = store.refused()
    await remedy.click()
    await code.fill('of-another')
    await page.getByTestId('sign-in-go').click()
    // A chunk that is refused after the next sign-in waits a minute for its trial; of each three that were refused stand for the rest.
    await expect.poll(async () => (store.refused() < before + 4 ? 0 : parked(page))).toBeGreaterThan(1)
    await expect(page.locator('#you-value')).toHaveText('2')

    await remedy.click()
    await expect(code).toHaveValue('')
    await code.fill('of-this-test')
    await page.keyboard.press('Enter')
    await expect(banner).toHaveAttribute('data-pending', '0')
    await expect(page.getByTestId('urgent')).toHaveText('Nothing waits on this device.')
    await site.close()
    await store.close()
  },
)

test(
  'a device that is almost full: what makes room is beside the words and first of all, each recording by its name',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { page } = await openDemo(context, { url: stack.url })
    const cdp = await context.newCDPSession(page)
    await leavePending(page, 2)
    await cdp.send('Storage.overrideQuotaForOrigin', {
      origin: new URL(stack.url).origin,
      quotaSize: 20_000_000,
    })
    await page.reload()
    const remedy = page.locator('[part=remedy]')
    await expect(page.getByTestId('urgent')).toHaveText('This device is almost full.')
    await expect(remedy).toHaveText('Free space')
    const dialog = page.getByRole('dialog', { name: 'Free space' })
    await page.getByTestId('storage-free').click()
    await expect(dialog).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.getByTestId('storage-free')).toBeFocused()

    await remedy.click()
    const discards = dialog.getByRole('button', { name: /^Discard the recording of/ })
    await expect(discards).toHaveCount(2)
    await discards.first().click()
    await page.getByTestId('discard-understood').check()
    await page.getByTestId('discard-confirm').click()
    await expect(discards).toHaveCount(1)
    await expect(dialog.getByTestId('space-traces')).toBeHidden()
    await dialog.getByTestId('space-upload').click()
    await expect(dialog.getByTestId('space-upload')).toBeHidden()
    // What was uploaded and proved takes no room here, and can be deleted from the list.
    await expect(discards).toHaveCount(0)
    await dialog.getByTestId('space-traces').click()
    await page.getByTestId('traces-confirm').click()
    await expect(dialog.getByTestId('space-traces')).toBeHidden()
    await expect(dialog).toBeVisible()
    await dialog.getByRole('button', { name: 'Done' }).click()
    await expect(remedy).toBeFocused()
    await expect(page.getByTestId('session')).toHaveCount(0)

    // There is room again.
    await cdp.detach()
    await page.reload()
    await expect(page.getByTestId('urgent')).toHaveText('Nothing waits on this device.')
    await expect(remedy).toBeHidden()
  },
)

/** Chunks that were set aside, of all recordings. */
async function parked(page: Page): Promise<number> {
  const { value } = (await ask(page, { type: 'sessions' })) as unknown as { value: Answers['sessions'] }
  return value.reduce((sum, session) => sum + session.parked, 0)
}
