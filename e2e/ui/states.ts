import type { BrowserContext, Page } from '@playwright/test'
import { encodeKey } from '../../src/demo/group-key.ts'
import { logged } from '../backend-oracle.ts'
import { expect, type Stack } from '../fixtures.ts'
import { holdHeads } from '../in-page/held-heads.ts'
import { ask } from '../in-page/messages.ts'
import { leavePending } from '../in-page/pending.ts'
import { loseSource } from '../in-page/sources.ts'
import { openDemo } from '../in-page/demo-tab.ts'
import { updateWaits } from '../update/versions.ts'

/** Looks at a page in the state that it is in. */
export type Look = (page: Page, state: string) => Promise<void>

/** Nothing is there yet: the first visit, and a person who looks around. */
export async function lookAtFirstVisit({ url }: Stack, context: BrowserContext, look: Look): Promise<void> {
  const page = await context.newPage()
  await page.goto(`${url}/?source=canvas`)
  await expect(page.getByTestId('record-button')).toBeEnabled()
  await expect(page.getByTestId('sessions-empty')).toBeVisible()
  await look(page, '01-first-visit')

  await page.locator('.help summary').click()
  await look(page, '02-help')
  await page.locator('.help summary').click()

  await page.getByTestId('group-create').click()
  await look(page, '03-new-group')
  await page.getByTestId('group-save').click()
  await expect(page.getByTestId('group-holds')).toContainText('on this device only')
  await look(page, '04-key-only-here')

  await page.getByTestId('group-key').click()
  await look(page, '05-keys')
  await page.getByTestId('show-code').click()
  await look(page, '05-keys-code')
  await page.getByTestId('prove-copy').click()
  await page.getByTestId('prove-end').fill('nope')
  await page.getByTestId('prove-done').click()
  await look(page, '06-copy-not-proved')
  await page.keyboard.press('Escape')

  await page.getByTestId('group-join').click()
  await page.getByTestId('group-key-input').fill('what is this?')
  await page.getByTestId('group-key-save').click()
  await look(page, '07-join-refused')
  await page.keyboard.press('Escape')

  await page.getByTestId('hide').click()
  await look(page, '08-hidden')
  await page.keyboard.press('Escape')

  await page.goto(`${url}/read.html`)
  await expect(page.getByTestId('reader-key')).toBeVisible()
  await page.getByTestId('reader-key').fill('no key')
  await page.getByTestId('reader-open').click()
  await look(page, '09-reader-asks')
  await page.close()
}

/** A recording from Record to its player, and all that may go wrong with it. */
export async function lookAtRecording(stack: Stack, context: BrowserContext, look: Look): Promise<void> {
  const { backend, site, url } = stack
  const tab = await openDemo(context, { url })
  const { page, groupKey } = tab
  await tab.record()
  await tab.acknowledged(1)
  // Some blocks before the others, so that the reader has something to check later.
  await logged(backend, (await tab.session().getAttribute('data-session-id')) ?? '', 'recording', 1)
  await tab.acknowledged(2)
  await look(page, '10-recording')
  await loseSource(page, 'audio')
  await expect(page.locator('.caption-alert')).toContainText('microphone is gone')
  await look(page, '11-sound-lost')
  await tab.stop()

  const session = tab.session()
  await expect(session).toHaveAttribute('data-upload', 'confirmed')
  await session.getByTestId('session-details').locator('summary').click()
  await expect(session.getByTestId('chunk').first()).toBeVisible()
  await look(page, '12-proved-with-details')
  await session.getByTestId('session-details').locator('summary').click()

  await session.getByTestId('verify-button').click()
  await expect(session.getByTestId('verify-panel')).toHaveAttribute('data-state', /verified|partial/)
  await look(page, '13-played')
  await page.getByRole('button', { name: 'Close' }).click()
  backend.faults.add({ service: 'chain', kind: 'down' })
  await session.getByTestId('verify-button').click()
  await expect(session.getByTestId('verify-panel')).toHaveAttribute('data-state', 'failed')
  await look(page, '14-not-verified')
  backend.faults.clear()

  const reader = await context.newPage()
  const release = await holdHeads(reader)
  await reader.goto(`${url}/read.html#key=${encodeKey(groupKey)}`)
  await reader.getByTestId('open-button').first().click()
  await expect.poll(async () => Number(await proved(reader))).toBeGreaterThanOrEqual(1)
  await expect(reader.getByTestId('reader-checking')).toContainText('still being looked for')
  await look(reader, '15-reader-checks')
  release()
  await expect.poll(async () => Number(await proved(reader))).toBeGreaterThanOrEqual(2)
  await look(reader, '15-reader-plays')
  await reader.close()

  await page.getByTestId('traces').click()
  await look(page, '16-traces')
  await page.keyboard.press('Escape')

  site.deploy(`${site.worker}\n// Another version.\n`)
  await updateWaits(page)
  await expect(page.getByTestId('update-go')).toBeVisible()
  await look(page, '17-update')

  await leavePending(page, 3)
  await ask(page, { type: 'policy', policy: 'always' })
  backend.faults.add({ service: 'ipfs', kind: 'status', status: 401 })
  await page.reload()
  await expect(page.locator('[part=remedy]')).toHaveText('Sign in')
  await expect(page.locator('#you-value')).toHaveText('3')
  await page.getByTestId('recovery-banner').locator('summary').click()
  await look(page, '18-needs-you')
  await page.locator('[part=remedy]').click()
  await look(page, '18-sign-in')
  await page.keyboard.press('Escape')
  await page.getByTestId('policy').selectOption('paused')
  await expect(page.locator('[part=remedy]')).toHaveText('Upload now')
  await look(page, '19-uploads-off')
  await page.getByTestId('discard-button').first().click()
  await look(page, '20-discard')
  await page.keyboard.press('Escape')

  const cdp = await context.newCDPSession(page)
  const { origin } = new URL(url)
  await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 20_000_000 })
  await page.reload()
  await expect(page.locator('[part=remedy]')).toHaveText('Free space')
  await expect(page.getByTestId('session')).toHaveCount(4)
  await look(page, '20-almost-full')
  await page.locator('[part=remedy]').click()
  await look(page, '20-free-space')
  await page.close()
}

const proved = (page: Page) => page.locator('.player').getAttribute('data-proved')

/** No camera, and no worker: the two that stop a person at once. */
export async function lookAtRefusals({ url }: Stack, context: BrowserContext, look: Look): Promise<void> {
  const page = await context.newPage()
  await page.addInitScript(() => {
    const refuse = () => Promise.reject(new DOMException('No', 'NotAllowedError'))
    Object.defineProperty(navigator.mediaDevices, 'getUserMedia', { value: refuse })
  })
  await page.goto(url)
  await page.getByTestId('record-button').click()
  await expect(page.getByTestId('camera-again')).toBeVisible()
  await look(page, '21-no-camera')
  await page.close()

  const without = await context.newPage()
  await without.addInitScript(() => {
    Object.defineProperty(navigator.serviceWorker, 'register', {
      value: () => Promise.reject(new DOMException('No', 'SecurityError')),
    })
  })
  await without.goto(url)
  await expect(without.locator('#failure')).toBeVisible()
  await look(without, '22-no-worker')
  await without.close()
}
