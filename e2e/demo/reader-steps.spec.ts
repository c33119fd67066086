import type { BrowserContext } from '@playwright/test'
import { encodeKey } from '../../src/demo/group-key.ts'
import { logged } from '../backend-oracle.ts'
import { expect, test, type Stack, LANDING } from '../fixtures.ts'
import { holdHeads } from '../in-page/held-heads.ts'
import { shiftsOf, sumShifts } from '../in-page/shifts.ts'
import { openDemo, type DemoTab } from '../in-page/demo-tab.ts'

/** Of a media element. */
const HAVE_METADATA = 1

/** The registry's word, until the log is checked. */
const NOT_CHECKED = /Not checked yet\.$/

/** A recording that is whole, and whose first head came some blocks before the others. */
async function recorded({ backend, url }: Stack, context: BrowserContext): Promise<DemoTab> {
  const tab = await openDemo(context, { url })
  await tab.record()
  await tab.acknowledged(1)
  const id = (await tab.session().getAttribute('data-session-id')) ?? ''
  await logged(backend, id, 'recording', 1)
  await tab.acknowledged(tab.slices.length + 2)
  await tab.stop()
  await expect(tab.session()).toHaveAttribute('data-upload', 'confirmed')
  return tab
}

test(
  'a recording plays from its beginning once that is proved, while the rest is not known yet, and says so; nothing moves when it is',
  { tag: LANDING },
  async ({ stack, context, launch }) => {
    const tab = await recorded(stack, context)
    const page = await (await launch()).context.newPage()
    await page.setViewportSize({ width: 390, height: 844 })
    await page.addInitScript(sumShifts)
    const release = await holdHeads(page)
    await page.goto(`${stack.url}/read.html#key=${encodeKey(tab.groupKey)}`)
    const inList = page.getByTestId('listed').locator('.session-when')
    await expect(inList).toHaveText(NOT_CHECKED)
    await page.getByTestId('open-button').click()
    const opened = page.locator('.player')
    const pieces = async () => Number(await opened.getAttribute('data-proved'))
    await expect.poll(pieces).toBeGreaterThanOrEqual(1)
    const player = page.getByTestId('player')
    // The player has it; whether a frame is whole in the first half second is the recorder's matter.
    await expect
      .poll(() => player.evaluate((video: HTMLVideoElement) => video.readyState))
      .toBeGreaterThanOrEqual(HAVE_METADATA)
    // What is proved is said to be so, and of the rest that it is not known.
    await expect(page.getByTestId('proof-now')).toContainText('proved. It existed before')
    await expect(page.getByTestId('reader-summary')).toHaveText(/^0\d:\d\d is proved so far\.$/)
    await expect(page.getByTestId('reader-checking')).toContainText('The rest is still being looked for')
    await expect(page.getByTestId('proof-bar').locator('[data-verdict=unknown]')).toHaveCount(1)
    await expect(opened).not.toHaveAttribute('data-ending')
    expect(await pieces()).toBeLessThan(tab.slices.length)

    // Of how it ended nothing is said but whose word it is.
    await expect(inList).toHaveText(NOT_CHECKED)

    const before = await shiftsOf(page)
    release()
    await expect(page.getByTestId('reader-checking')).toHaveText('All of it was checked.')
    await expect(opened).toHaveAttribute('data-ending', 'complete')
    await expect(inList).toHaveText('Checked: ended by whoever recorded it.')
    expect(await pieces()).toBe(tab.slices.length)
    await expect(page.getByTestId('reader-summary')).toHaveText(/^0\d:\d\d of 0\d:\d\d is proved\.$/)
    const after = await shiftsOf(page)
    expect(after.sum - before.sum, after.moved).toBeLessThanOrEqual(0.02)
  },
)

test(
  'what is found wrong once a recording plays is told, and nothing more is said to be proved',
  { tag: LANDING },
  async ({ stack, context, launch }) => {
    const tab = await recorded(stack, context)
    const page = await (await launch()).context.newPage()
    // The node knows of no later heads, though the registry counts them.
    const release = await holdHeads(page, [])
    await page.goto(`${stack.url}/read.html#key=${encodeKey(tab.groupKey)}`)
    await page.getByTestId('open-button').click()
    const opened = page.locator('.player')
    await expect.poll(async () => Number(await opened.getAttribute('data-proved'))).toBeGreaterThanOrEqual(1)
    release()
    await expect(page.getByTestId('verify-error')).toHaveAttribute('data-code', 'heads-withheld')
    await expect(page.getByTestId('reader-checking')).toHaveText('The rest could not be checked.')
    await expect(page.getByTestId('reader-summary')).toHaveText(/^0\d:\d\d is proved so far\.$/)
    expect(Number(await opened.getAttribute('data-proved'))).toBeLessThan(tab.slices.length)
    await expect(page.getByTestId('listed').locator('.session-when')).toHaveText(NOT_CHECKED)
  },
)

test(
  'how far the checking is stays in view beside the player, on a phone and on a desk',
  { tag: LANDING },
  async ({ stack, context, launch }) => {
    const tab = await recorded(stack, context)
    const page = await (await launch()).context.newPage()
    for (const [width, height] of [
      [360, 640],
      [390, 844],
      [1280, 800],
    ] as const) {
      await page.setViewportSize({ width, height })
      const release = await holdHeads(page)
      await page.goto(`${stack.url}/read.html#key=${encodeKey(tab.groupKey)}`)
      await page.getByTestId('open-button').click()
      await expect(page.getByTestId('reader-checking')).toContainText('The rest is still being looked for')
      for (const id of ['reader-summary', 'reader-checking', 'proof-bar', 'player'])
        await expect(page.getByTestId(id), `${id} at ${width}`).toBeInViewport({ ratio: 1 })
      release()
      await expect(page.getByTestId('reader-checking')).toHaveText('All of it was checked.')
      await page.unrouteAll()
      // Another address, so that it is not the same page with another fragment.
      await page.goto('about:blank')
    }
  },
)
