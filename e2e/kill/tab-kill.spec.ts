import { expect, test, WHOLE, LANDING } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { storedChunks } from '../in-page/stored.ts'
import { openDemo } from '../in-page/demo-tab.ts'

// Promises 1, 7 of docs/guarantees.md.
test(
  'a tab closed in the middle of a chunk, with the backend down: recovered at the next visit',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, url, sinceEntry } = stack
    const tab = await openDemo(context, { url, timesliceMs: 1_000 })
    await backend.pause()
    await tab.record()
    await tab.acknowledged(2)
    await tab.page.close()

    // Open the app again: what was acknowledged is there, bytes and all, and the person is told.
    const again = await openDemo(context, { url })
    const held = await storedChunks(again.page)
    expect(held.map(({ index }) => index).slice(0, 2)).toEqual([0, 1])
    for (const chunk of held) {
      expect(chunk.status).toBe('uploading')
      expect(chunk.payloadHash).toBe(chunk.encryptedHash)
    }
    const id = held[0]?.sessionId ?? ''
    const banner = again.page.getByTestId('recovery-banner')
    await banner.getByText('Which ones').click()
    await expect(banner.locator(`[data-session-id="${id}"]`)).toContainText('on this device only')
    expect(backend.ledger.all().filter((entry) => entry.id > sinceEntry)).toEqual([])

    await backend.unpause()
    const log = await anchored(backend, id, 'interrupted', held.length)
    expect(log.chunks.map(({ cid }) => cid)).toEqual(held.map(({ cid }) => cid))
    await expect(again.session(id)).toHaveAttribute('data-upload', 'confirmed')
    await expect(banner).toHaveAttribute('data-pending', '0')
    for (const chunk of await storedChunks(again.page)) {
      expect(chunk.status).toBe('confirmed')
      expect(chunk.payloadHash).toBeUndefined()
    }
    expectNothingTwice(backend, log, sinceEntry)
  },
)

// Promises 2, 8 of docs/guarantees.md. Without a debugger it is in every run: e2e/lifetime/tab-death.spec.ts.
test(
  'a tab killed in mid-upload, and no page opened again: ended as interrupted, uploaded, published, anchored',
  { tag: WHOLE },
  async ({ stack, context }) => {
    const { backend, url, sinceEntry } = stack
    const tab = await openDemo(context, { url })
    const slow = backend.faults.add({ service: 'ipfs', match: '/add', kind: 'hold' })
    await tab.record()
    await tab.acknowledged(3)
    await slow.arrived
    const [{ sessionId } = { sessionId: '' }] = await storedChunks(tab.page)
    await tab.page.close()
    slow.release()

    const log = await anchored(backend, sessionId, 'interrupted', 3)
    expectNothingTwice(backend, log, sinceEntry)
    expect(context.pages().filter((page) => page.url().startsWith(url))).toEqual([])
  },
)
