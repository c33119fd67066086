import type { LedgerEntry } from '../backend/index.ts'
import { anchored } from '../backend-oracle.ts'
import { expect, test } from './fixtures.ts'
import { measured } from './measured.ts'

const CHUNKS = 6
/** The birth is told by a request too, which the engine's first may overtake. */
const WITH_BIRTH_MS = 100
/** The browser's own first wait after a failure: what comes sooner did not wait for it. */
const BACK_OFF_MS = 300_000
/** `HOLDFAST_STARTS=10` measures. */
const starts = Number(process.env['HOLDFAST_STARTS'] ?? 1)

// Promise 8 of docs/guarantees.md.
test('after SIGKILL and a start at about:blank the first request comes by itself, and soon', async ({
  lane,
}) => {
  const { backend, sinceEntry, site, start } = lane
  backend.faults.add({ service: 'ipfs', match: '/add', kind: 'stall' })
  const recorder = await start(site.pageUrl({ endpoints: backend.endpoints }))
  const id = await site.order({ do: 'record', chunks: CHUNKS, chunkBytes: 64_000, everyMs: 0 })
  await backend.ledger.waitFor(({ service }) => service === 'ipfs')
  await recorder.kill()

  const waitsMs: number[] = []
  for (let round = 0; round < starts; round++) {
    const born = site.births.length
    const startedMs = Date.now()
    const browser = await start()
    await expect.poll(() => site.births.length, { intervals: [20] }).toBeGreaterThan(born)
    // A request of the browser before may still be on its way to the ledger: a worker's own come with its birth.
    const sinceMs = (site.births[born] ?? Infinity) - WITH_BIRTH_MS
    const ours = ({ at }: LedgerEntry) => at >= sinceMs
    const first = backend.ledger.all().slice(sinceEntry).find(ours) ?? (await backend.ledger.waitFor(ours))
    waitsMs.push(first.at - startedMs)
    await browser.kill()
  }
  const median = waitsMs.toSorted((a, b) => a - b)[Math.floor(waitsMs.length / 2)] ?? Infinity
  await measured(`first request after a browser start: median ${median} ms of ${waitsMs.join(', ')} ms`)
  expect(median).toBeLessThan(BACK_OFF_MS)

  backend.faults.clear()
  await start()
  await anchored(backend, String(id), 'interrupted', CHUNKS)
})
