import { expect, test, LANDING } from '../fixtures.ts'
import { openDemo } from '../in-page/demo-tab.ts'
import { A_CHUNK } from '../stores.ts'

test.use({ workerName: 'tus' })

test(
  'a chunk that goes up in parts shows each part that the store took',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, url } = stack
    // Longer than the recording: all of it is one chunk.
    const tab = await openDemo(context, { url, timesliceMs: 60_000 })
    const { page } = tab
    const parts = [1, 2].map(() =>
      backend.faults.add({ service: 'tus', method: 'PATCH', content: A_CHUNK, kind: 'hold', times: 1 }),
    )
    await tab.record()
    await expect
      .poll(async () => Number(await page.locator('[part=timer]').getAttribute('data-seconds')))
      .toBeGreaterThanOrEqual(3)
    await tab.stop()

    const session = tab.session()
    await session.getByTestId('session-details').locator('summary').click()
    const chunk = session.getByTestId('chunk')
    const bar = session.locator('progress')
    const stored = async () => Number(await chunk.getAttribute('data-stored-bytes'))
    const shown = async () => Number(await bar.getAttribute('value'))

    await parts[0]?.arrived
    await expect(chunk).toHaveAttribute('data-status', 'uploading')
    expect(await stored()).toBe(0)
    await expect(bar).toHaveAttribute('aria-valuetext', /^0 of [\d.]+ [kM]B$/)
    parts[0]?.release()
    await parts[1]?.arrived
    await expect.poll(stored).toBeGreaterThan(0)
    // Bar and list are drawn each for itself.
    await expect.poll(shown).toBe(await stored())
    expect(await shown()).toBeLessThan(Number(await bar.getAttribute('max')))
    await expect(bar).toHaveAttribute(
      'aria-valuetext',
      /^[\d.]+ of [\d.]+ [kM]B, [\d.]+ [kM]bit\/s, .+ left$/,
    )
    await expect(chunk).toHaveAttribute('data-status', 'uploading')

    parts[1]?.release()
    await expect(session).toHaveAttribute('data-upload', 'confirmed')
    await expect(bar).toBeHidden()
    await expect.poll(stored).toBe(Number(await bar.getAttribute('max')))
  },
)
