import { expect, test, WHOLE } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { storedChunks } from '../in-page/stored.ts'
import { openDemo } from '../in-page/demo-tab.ts'

test(
  'two recordings from two tabs, both cut off: both recover, each with its own chunks',
  { tag: WHOLE },
  async ({ stack, context }) => {
    const { backend, url, sinceEntry } = stack
    const left = await openDemo(context, { url })
    const right = await openDemo(context, { url })
    await backend.pause()
    await left.record()
    await right.record()
    await Promise.all([left.acknowledged(2), right.acknowledged(3)])
    await Promise.all([left.page.close(), right.page.close()])

    const again = await openDemo(context, { url })
    const held = await storedChunks(again.page)
    const ids = [...new Set(held.map(({ sessionId }) => sessionId))]
    expect(ids).toHaveLength(2)
    const banner = again.page.getByTestId('recovery-banner')
    await banner.getByText('Which ones').click()
    for (const id of ids) await expect(banner.locator(`[data-session-id="${id}"]`)).toBeVisible()

    await backend.unpause()
    for (const id of ids) {
      const own = held.filter(({ sessionId }) => sessionId === id).map(({ cid }) => cid)
      const log = await anchored(backend, id, 'interrupted', own.length)
      expect(log.chunks.map(({ cid }) => cid)).toEqual(own)
      expectNothingTwice(backend, log, sinceEntry)
    }
    await expect(banner).toHaveAttribute('data-pending', '0')
  },
)
