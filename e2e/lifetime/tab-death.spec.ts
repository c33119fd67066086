import { anchored, expectNothingTwice } from '../oracle.ts'
import { recordThenClose } from './death.ts'
import { expect, test } from './fixtures.ts'
import type { Notices } from './orders.ts'
import { SHORT_BUDGETS_MS, shortLimits } from './short-limits.ts'

// Promise 8 of docs/guarantees.md.

const RECORDING = { openMs: 2_000, chunks: 8, chunkBytes: 128_000 }
const shortened = (attempts: number) => ({
  ...RECORDING,
  args: shortLimits(attempts),
  budgetsMs: SHORT_BUDGETS_MS,
})

// Promise 2 of docs/guarantees.md.
test('with no debugger and no page, what was acknowledged goes up and is anchored', async ({ lane }) => {
  const { backend } = lane
  const slow = backend.faults.add({ service: 'ipfs', match: '/add', kind: 'hold' })
  const death = await recordThenClose(lane, RECORDING)
  await slow.arrived
  slow.release()
  const manifest = await anchored(backend, death.sessionId, 'interrupted', death.chunks)
  expectNothingTwice(backend, manifest, 0)
})

test('a server that fails until long after the last message is tried by the ladder, and gets it all', async ({
  lane,
}) => {
  const { backend } = lane
  const down = backend.faults.add({ service: 'ipfs', kind: 'down' })
  const death = await recordThenClose(lane, shortened(9))
  const beyondMs = death.atMs + 2 * SHORT_BUDGETS_MS.message
  await backend.ledger.waitFor(({ at }) => at > beyondMs, 60_000)
  down.remove()
  await anchored(backend, death.sessionId, 'interrupted', death.chunks)
})

test('when no attempt is left a person is told, and the next visit goes on', async ({ lane }) => {
  const { backend, site, decide, start } = lane
  await decide('notifications', 'allow')
  const down = backend.faults.add({ service: 'ipfs', kind: 'down' })
  const told = site.told(85_000)
  const death = await recordThenClose(lane, shortened(3))
  expect(await told).toEqual({ title: 'Recordings not uploaded yet: 1', shown: 'shown' })

  await death.browser.kill()
  await start(site.pageUrl({ endpoints: backend.endpoints }), shortLimits(3))
  const notices = (await site.order({ do: 'notices' })) as Notices
  expect(notices.logged).toContain(death.sessionId)
  down.remove()
  await anchored(backend, death.sessionId, 'interrupted', death.chunks)
})
