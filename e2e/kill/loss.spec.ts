import { expect, test, LANDING } from '../fixtures.ts'
import { storedChunks } from '../in-page/stored.ts'
import { openDemo } from '../in-page/demo-tab.ts'

const TIMESLICE_MS = 500

// Promise 1 of docs/guarantees.md.
test(
  'the browser is killed at any moment: the slice that was being made is lost, and what was not taken yet, and no more',
  { tag: LANDING },
  async ({ stack, launch }) => {
    stack.backend.faults.add({ service: 'ipfs', kind: 'down' })
    const first = await launch()
    const tab = await openDemo(first.context, {
      url: stack.url,
      timesliceMs: TIMESLICE_MS,
    })
    await tab.record()
    await expect.poll(() => tab.acknowledgements.length).toBeGreaterThanOrEqual(4)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * TIMESLICE_MS))
    const taken = [...tab.acknowledgements]
    await first.kill()

    const second = await launch()
    const visit = await second.context.newPage()
    await visit.goto(`${stack.url}/read.html`)
    const stored = await storedChunks(visit)
    // Each slice is a chunk of its own.
    expect(stored.map(({ id }) => id)).toEqual(expect.arrayContaining(taken))
    for (const { payloadHash, encryptedHash } of stored) expect(payloadHash).toBe(encryptedHash)
  },
)
