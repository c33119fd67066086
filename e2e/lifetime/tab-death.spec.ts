import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { recordThenClose } from './death.ts'
import { WHOLE } from '../fixtures.ts'
import { expect, test } from './fixtures.ts'
import type { Notices, Sign } from './orders.ts'
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
  const { backend, sinceEntry } = lane
  const slow = backend.faults.add({ service: 'ipfs', match: '/add', kind: 'hold' })
  const death = await recordThenClose(lane, RECORDING)
  await slow.arrived
  slow.release()
  const log = await anchored(backend, death.sessionId, 'interrupted', death.chunks)
  expectNothingTwice(backend, log, sinceEntry)
})

test(
  'a server that fails until long after the last message is tried by the schedule, and gets it all',
  { tag: WHOLE },
  async ({ lane }) => {
    const { backend } = lane
    const down = backend.faults.add({ service: 'ipfs', kind: 'down' })
    const death = await recordThenClose(lane, shortened(9))
    const beyondMs = death.atMs + 2 * SHORT_BUDGETS_MS.message
    await backend.ledger.waitFor(({ at }) => at > beyondMs)
    down.remove()
    await anchored(backend, death.sessionId, 'interrupted', death.chunks)
  },
)

test(
  'when no attempt is left a person is told, and the next visit takes that back and goes on',
  { tag: WHOLE },
  async ({ lane }) => {
    const { backend, site, decide } = lane
    await decide('notifications', 'allow')
    const down = backend.faults.add({ service: 'ipfs', kind: 'down' })
    const death = await recordThenClose(lane, shortened(3))
    // Zero takes away what another life of the worker may have put up.
    const told = () => site.told.filter(({ says }) => says !== 0).toSorted(byWhat)
    const once = [
      { what: 'badge', says: 1, outcome: 'done' },
      { what: 'notification', says: 'Recordings not uploaded yet: 1', outcome: 'done' },
    ]
    await expect.poll(told).toEqual(once)

    site.reopen()
    const notices = async () => (await site.order({ do: 'notices' })) as Notices
    expect((await notices()).logged).toEqual([death.sessionId])
    await expect.poll(async () => (await notices()).titles).toEqual([])
    await expect.poll(() => site.told.at(-1)).toEqual({ what: 'badge', says: 0, outcome: 'done' })
    expect(told()).toEqual(once)
    down.remove()
    await anchored(backend, death.sessionId, 'interrupted', death.chunks)
  },
)

const byWhat = (a: Sign, b: Sign) => a.what.localeCompare(b.what)
