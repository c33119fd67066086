import { anchored } from '../backend-oracle.ts'
import { expect, test, LANDING } from '../fixtures.ts'
import { openDemo, tap } from '../in-page/demo-tab.ts'
import { storedChunks } from '../in-page/stored.ts'
import { readBack } from '../read-back.ts'

/** Runs in the page: notes the sessions that the recorder itself goes into, one after the other. */
function noteSessions(): void {
  const noted: string[] = []
  Reflect.set(window, 'noted', noted)
  document.addEventListener('holdfast-recording', ({ detail }) => void noted.push(detail.id))
}

// Promise 1 of docs/guarantees.md.
test(
  'the site’s data are cleared under a running recording: it goes on, and what follows plays by itself',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, url } = stack
    const hold = backend.faults.add({ service: 'ipfs', kind: 'down' })
    const tab = await openDemo(context, { url, first: noteSessions })
    const { page, groupKey } = tab
    await tab.record()
    await tab.acknowledged(2)
    const [{ sessionId: lost } = { sessionId: '' }] = await storedChunks(page)

    const cdp = await context.newCDPSession(page)
    await cdp.send('Storage.clearDataForOrigin', { origin: new URL(url).origin, storageTypes: 'all' })
    hold.remove()
    // One for what the worker had not taken, and one for the recorder that was started anew.
    const others = page.locator(`[data-testid=session]:not([data-session-id="${lost}"])`)
    await expect(others).toHaveCount(2)
    const noted = () => page.evaluate(() => Reflect.get(window, 'noted') as string[])
    await expect.poll(noted).toHaveLength(2)
    const newest = (await noted()).at(-1)
    // Not what had waited for the worker, which may be as many.
    const taken = () => new Set(tab.acknowledgements.filter((id) => id.startsWith(`${newest}/`))).size
    await expect.poll(taken, { intervals: [50] }).toBeGreaterThanOrEqual(3)
    await tap(page.getByTestId('stop-button'))
    await expect(page.getByTestId('recorder')).toHaveAttribute('data-state', 'idle')

    const ids = await others.evaluateAll((sessions) =>
      sessions.map(({ dataset }) => dataset['sessionId'] ?? ''),
    )
    const recordings = await Promise.all(
      ids.map(async (sessionId) => {
        const { name } = await anchored(backend, sessionId, 'complete', 1)
        const { session, proved } = await readBack(backend, name, groupKey)
        return { session, bytes: Buffer.concat(proved.map(({ plaintext }) => plaintext)) }
      }),
    )
    const EBML = Buffer.from([0x1a, 0x45, 0xdf, 0xa3])
    const own = recordings.filter(({ bytes }) => bytes.subarray(0, 4).equals(EBML))
    expect(own).toHaveLength(1)
    expect(own[0]?.session.listed.length).toBeGreaterThanOrEqual(3)
    for (const { session } of recordings) {
      expect(session.missingIndexes).toEqual([])
      expect([lost, ...ids].map((id) => id.replaceAll('-', ''))).toContain(session.continues?.slice(0, 32))
    }
  },
)
