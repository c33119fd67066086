import { expect, it } from 'vitest'
import { trip } from '../core/circuit.ts'
import { memoryStore } from '../testing/fake-disk.ts'
import { circuitOf, update } from './stored-circuits.ts'

const NOW_MS = Date.UTC(2026, 0, 1)
const clock = { now: () => NOW_MS, random: () => 0.5 }

// Promise 5 of docs/guarantees.md.
it.each(['falls', 'is complete, and told as failed'])(
  'a failure whose first write %s counts once, also while the server wants to be left alone',
  async (how) => {
    const store = memoryStore()
    const fail = (keeping: Pick<typeof store, 'read' | 'write'>, retryAfterMs: number) =>
      update({ store: keeping, clock }, 'store', (circuit, nowMs) =>
        trip(circuit, 'throttled', retryAfterMs, nowMs, 0.5),
      )
    await fail(store, 600_000)
    let writes = 0
    const write: typeof store.write = async (work, needs) => {
      if (++writes > 1) return store.write(work, needs)
      await store.write(async (tx) => {
        await work(tx)
        if (how === 'falls') throw new Error('It falls.')
      }, needs)
      throw new Error('It is told as failed.')
    }
    await fail({ ...store, write }, 1_000)
    expect(writes).toBe(2)
    const circuit = await store.read((tx) => circuitOf(tx, 'store', NOW_MS))
    expect(circuit).toMatchObject({ failures: 2, notBeforeMs: NOW_MS + 600_000 })
  },
)
