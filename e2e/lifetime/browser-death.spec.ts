import { anchored } from '../oracle.ts'
import { expect, test } from './fixtures.ts'
import { measured } from './measured.ts'

const CHUNKS = 6
/** `HOLDFAST_STARTS=10` measures on a quiet machine; a busy one only has to be far quicker than any back-off. */
const starts = Number(process.env['HOLDFAST_STARTS'] ?? 3)
const soonMs = starts >= 10 ? 1_500 : 15_000

test('after SIGKILL and a start at about:blank the first request comes by itself, and soon', async ({
  lane,
}) => {
  const { backend, site, start } = lane
  backend.faults.add({ service: 'ipfs', match: '/add', kind: 'stall' })
  const first = await start(site.pageUrl({ endpoints: backend.endpoints }))
  const id = await site.order({ do: 'record', chunks: CHUNKS, chunkBytes: 64_000, everyMs: 0 })
  await backend.ledger.waitFor(({ service }) => service === 'ipfs')
  await first.kill()

  const waitsMs: number[] = []
  for (let round = 0; round < starts; round++) {
    const startedMs = Date.now()
    const next = backend.ledger.waitFor(({ at }) => at >= startedMs, 30_000)
    const browser = await start()
    waitsMs.push((await next).at - startedMs)
    await browser.kill()
  }
  const median = waitsMs.toSorted((a, b) => a - b)[Math.floor(waitsMs.length / 2)] ?? Infinity
  await measured(`first request after a browser start: median ${median} ms of ${waitsMs.join(', ')} ms`)
  expect(median).toBeLessThan(soonMs)

  backend.faults.clear()
  await start()
  await anchored(backend, String(id), 'interrupted', CHUNKS)
})
