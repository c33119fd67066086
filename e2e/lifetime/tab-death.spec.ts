import { anchored, expectNothingTwice } from '../oracle.ts'
import { expect, test } from './fixtures.ts'

test('with no debugger and no page, what was acknowledged goes up and is anchored', async ({ lane }) => {
  const { backend, site, start } = lane
  await start(site.pageUrl({ endpoints: backend.endpoints }))
  backend.faults.add({ service: 'ipfs', match: '/add', kind: 'slow', bytesPerSec: 64_000 })
  const id = await site.order({ do: 'record', chunks: 12, chunkBytes: 128_000, everyMs: 0 })
  const gone = site.pageGone()
  await site.order({ do: 'close' })
  const deathMs = await gone

  const manifest = await anchored(backend, String(id), 'interrupted', 12)
  expectNothingTwice(backend, manifest, 0)
  const later = backend.ledger.all().filter(({ at }) => at > deathMs)
  expect(later.length).toBeGreaterThan(0)
})
