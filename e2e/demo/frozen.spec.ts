import { anchored } from '../backend-oracle.ts'
import { expect, test, WHOLE, LANDING } from '../fixtures.ts'
import { loseSource } from '../in-page/sources.ts'
import { openDemo, tap } from '../in-page/demo-tab.ts'

// Promise 1 of docs/guarantees.md.
test(
  'a page that was frozen and runs again goes on in a new recording that names the one before, and says so',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, url } = stack
    const tab = await openDemo(context, { url })
    const { page } = tab
    await tab.record()
    await tab.acknowledged(2)
    // Chromium's debugger freezes no page that is seen: the test tells what the browser would tell it.
    await page.evaluate(() => {
      for (const type of ['freeze', 'resume']) document.dispatchEvent(new Event(type))
    })
    await expect(page.getByTestId('session')).toHaveCount(2)
    await expect(
      page.getByText('The recording was cut off for a while, and goes on in a new one.'),
    ).toBeVisible()
    const cut = Number(await page.getByTestId('ack-count').getAttribute('data-acknowledged'))
    await tab.acknowledged(cut + 2)
    await tap(page.getByTestId('stop-button'))
    await expect(page.getByTestId('recorder')).toHaveAttribute('data-state', 'idle')

    const [later, earlier] = await page
      .getByTestId('session')
      .evaluateAll((sessions) => sessions.map(({ dataset }) => dataset['sessionId'] ?? ''))
    const before = await anchored(backend, earlier ?? '', 'interrupted', 2)
    const after = await anchored(backend, later ?? '', 'complete', 2)
    expect(after.name).not.toBe(before.name)
  },
)

// In a page of somebody else it is in every run: e2e/elements/bare-page.spec.ts.
test(
  'a page that was frozen and lost its camera goes on with it, once it is there again',
  { tag: WHOLE },
  async ({ stack, context }) => {
    const tab = await openDemo(context, { url: stack.url })
    const { page } = tab
    await tab.record()
    await tab.acknowledged(1)
    await loseSource(page, undefined, true)
    await expect(page.getByTestId('session')).toHaveCount(2)
    await expect(page.getByTestId('recorder')).toHaveAttribute('data-state', 'recording')
    await expect(page.getByTestId('recorder')).toHaveAttribute('data-picture', 'live')
    const cut = Number(await page.getByTestId('ack-count').getAttribute('data-acknowledged'))
    await tab.acknowledged(cut + 2)
    await tap(page.getByTestId('stop-button'))
    await expect(page.getByTestId('session').first()).toHaveAttribute('data-ending', 'complete')
    await expect(page.getByTestId('session').last()).toHaveAttribute('data-ending', 'interrupted')
  },
)
