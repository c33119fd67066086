import { expect, it } from 'vitest'
import type { ChunkState } from '../core/record.ts'
import { LONGEST_WAIT_MS } from '../core/retry-policy.ts'
import { withMarks } from '../core/session.ts'
import { createWorld, recordSession, sessionIdOf } from '../testing/world.ts'
import { fairOrder } from './fair-order.ts'
import { planWork } from './plan-work.ts'

const id = sessionIdOf(1)
const YEAR_MS = 31_536_000_000

// Promise 5 of docs/guarantees.md.
it('waits for no time of a clock that was ahead: what no wait can be for comes after all that is due', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 5, ending: 'recording' })
  const nowMs = world.clock.now()
  const due = (notBeforeMs: number) => ({ kind: 'due', notBeforeMs }) as const
  const waits = [YEAR_MS, 30_000, -1, LONGEST_WAIT_MS].map((ms) => due(nowMs + ms))
  await world.disk.write(async (tx) => {
    const session = (await tx.session(id))!
    for (const chunk of await tx.chunksOf(id)) {
      const wait = waits[chunk.index]
      const state = wait
        ? ({ ...chunk.state, wait } as ChunkState)
        : ({ status: 'captured', wait: due(nowMs + YEAR_MS) } as const)
      await tx.putChunk(withMarks({ ...chunk, state }, session))
    }
  })
  const underWay = { moving: new Map(), steps: new Map(), lanes: 6, takeNext: fairOrder() }
  const { chunks } = await planWork(world.worker(), underWay)
  expect(chunks.map(({ index }) => index)).toEqual([4, 2, 0])
})
