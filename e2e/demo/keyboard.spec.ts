import type { Page } from '@playwright/test'
import { expect, test, LANDING } from '../fixtures.ts'
import { openDemo } from '../in-page/demo-tab.ts'

/** Presses Tab until something of this name has the focus, as a person does who sees where it is. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const seen: string[] = []
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab')
    const { label, isVisible } = await page.evaluate(() => {
      let element = document.activeElement
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
      const box = element?.getBoundingClientRect()
      const style = element && getComputedStyle(element)
      const labels = element instanceof HTMLInputElement ? [...(element.labels ?? [])] : []
      const text = [
        element?.getAttribute('aria-label'),
        ...labels.map((one) => one.textContent),
        element?.textContent,
      ]
      return {
        label: text.filter(Boolean).join(' ').replaceAll(/\s+/g, ' ').trim(),
        isVisible: style?.outlineStyle !== 'none' && (box?.width ?? 0) > 0,
      }
    })
    seen.push(label)
    if (!name.test(label)) continue
    expect(isVisible, `${label} shows where the focus is`).toBe(true)
    return
  }
  throw new Error(`No way to ${name} by Tab, only to: ${seen.join(' · ')}`)
}

test(
  'the whole way by keyboard: a group, a recording, its state, its player, its end on this device, and hidden meanwhile',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { page } = await openDemo(context, { url: stack.url })
    await tabTo(page, /^New group/)
    await page.keyboard.press('Enter')
    await expect(page.getByTestId('group-name')).toBeFocused()
    await page.keyboard.type('Family')
    await page.keyboard.press('Enter')
    await expect(page.getByTestId('group-select')).toContainText('Family')
    await expect(page.getByTestId('group-create')).toBeFocused()

    await tabTo(page, /^Record$/)
    await page.keyboard.press('Enter')
    const recorder = page.getByTestId('recorder')
    await expect(recorder).toHaveAttribute('data-state', 'recording')
    await expect(page.getByTestId('stop-button')).toBeFocused()
    await expect
      .poll(async () => Number(await page.getByTestId('ack-count').getAttribute('data-acknowledged')))
      .toBeGreaterThan(0)
    await page.keyboard.press('Space')
    await expect(recorder).toHaveAttribute('data-state', 'idle')
    await expect(page.getByTestId('record-button')).toBeFocused()

    const session = page.getByTestId('session').first()
    await expect(session).toHaveAttribute('data-upload', 'confirmed')
    await tabTo(page, /^Verify and play/)
    await page.keyboard.press('Enter')
    await expect(session.getByTestId('verify-panel')).toHaveAttribute('data-state', 'verified')
    await tabTo(page, /^Close/)
    await page.keyboard.press('Enter')
    await expect(session.getByTestId('verify-button')).toBeFocused()
    await tabTo(page, /^Details/)
    await page.keyboard.press('Enter')
    await expect(session.getByTestId('chunk').first()).toBeVisible()

    await page.getByTestId('hide').focus()
    await page.keyboard.press('Enter')
    await expect(page.locator('#cover')).toBeVisible()
    await expect(page).toHaveTitle('Clock')
    await page.keyboard.press('Escape')
    await expect(page.locator('#cover')).toBeHidden()
    await expect(page).toHaveTitle('Holdfast')
    await expect(page.getByTestId('hide')).toBeFocused()

    await tabTo(page, /^Delete traces/)
    await page.keyboard.press('Enter')
    // What is safe has the focus first.
    await expect(page.getByRole('button', { name: 'Keep it' })).toBeFocused()
    await tabTo(page, /^Delete them/)
    await page.keyboard.press('Enter')
    await expect(page.getByTestId('sessions-empty')).toBeVisible()
    await expect(page.getByTestId('traces')).toBeDisabled()
  },
)
