import { recordThenClose, settledBy } from './death.ts'
import { expect, test } from './fixtures.ts'
import { measured } from './measured.ts'

const RECORDING = { openMs: 300_000, chunks: 20, chunkBytes: 256_000 }
/** The last attempt of the last tag is over by then. */
const OVER_MS = 1_720_000

for (const backAfterMin of [4, 12, 18])
  test(`a server that is back ${backAfterMin} min after the death of the tab gets it all, with no page`, async ({
    lane,
  }) => {
    const { backend, site } = lane
    await backend.pause()
    const death = await recordThenClose(lane, RECORDING)
    const backAtMs = death.atMs + backAfterMin * 60_000
    // Nothing can settle while the server is down: this waits for its time.
    expect(await settledBy(backend, death, backAtMs)).toBe(false)
    await backend.unpause()
    const settled = await settledBy(backend, death, death.atMs + OVER_MS)
    const seconds = Math.round((Date.now() - death.atMs) / 1000)
    await measured(
      `server back after ${backAfterMin} min: ${settled ? `finished at ${seconds} s` : 'not finished'}; ` +
        `workers born at ${site.births.map((at) => Math.round((at - death.atMs) / 1000)).join(', ')} s`,
    )
    expect(settled).toBe(true)
  })

// Promise 6 of docs/guarantees.md.
test('a worker that died of idleness with work left comes back by itself and finishes', async ({ lane }) => {
  const { backend, site } = lane
  await backend.pause()
  const death = await recordThenClose(lane, { ...RECORDING, openMs: 10_000 })
  const born = site.births.length
  // A worker that is born without a page: the one before it is dead.
  await expect
    .poll(() => site.births.length, { timeout: 1_500_000, intervals: [1_000] })
    .toBeGreaterThan(born)
  const rebornMs = Date.now()
  await backend.unpause()
  const settled = await settledBy(backend, death, rebornMs + 165_000)
  await measured(
    `died of idleness: reborn ${Math.round((rebornMs - death.atMs) / 1000)} s after the tab's death, ` +
      `${settled ? `finished ${Math.round((Date.now() - rebornMs) / 1000)} s later` : 'not finished'}`,
  )
  expect(settled).toBe(true)
})
