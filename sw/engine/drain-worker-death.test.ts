import { describe, expect, it } from 'vitest'
import { takesWhole } from '../../e2e/test-size.ts'
import { expectThrough } from '../testing/expect-through.ts'
import { workerLifetime } from '../testing/worker-lifetime.ts'
import { createWorld, drainOnce, recordSession, sessionIdOf } from '../testing/world.ts'

const id = sessionIdOf(1)

describe('a death', () => {
  /** Dies at the given moment of the first life, then lives again until all is through. */
  async function dieAndLiveAgain(diesAt: number) {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    const first = world.worker(workerLifetime(diesAt))
    const outcome = await drainOnce(world, first)
    for (const chunk of await world.chunks(id))
      expect(await world.hasPayload(chunk)).toBe(chunk.state.status !== 'confirmed')
    if (outcome === 'died') expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 3)
    return { world, outcome, moments: first.lifetime.moments }
  }

  // Promises 3, 4, 8 of docs/guarantees.md.
  it('at any moment costs nothing, and nothing is sent twice unless it was asked for before', async () => {
    const { moments } = await dieAndLiveAgain(Infinity)
    expect(moments).toBeGreaterThan(40)
    for (let diesAt = 1; diesAt <= moments; diesAt += takesWhole() ? 1 : 3) {
      const { world, outcome } = await dieAndLiveAgain(diesAt)
      expect(outcome, `moment ${diesAt}`).toBe('died')
      for (const [cid, times] of world.server.stored) expect(times, `${cid} at moment ${diesAt}`).toBe(1)
      const sent = new Set<string>()
      for (const [at, { op, of }] of world.server.ledger.entries()) {
        if (op !== 'send') continue
        if (sent.has(of)) {
          const before = world.server.ledger.slice(0, at).findLast((line) => line.of === of)
          expect(before?.op, `moment ${diesAt}`).toBe('probe')
        }
        sent.add(of)
      }
      const heads = new Set(world.chain.entries.map(({ request }) => JSON.stringify(request)))
      expect(heads.size, `moment ${diesAt}`).toBe(1)
      for (const [at, { op }] of world.chain.ledger.entries())
        if (op === 'submit')
          expect(world.chain.ledger[at - 1]?.op, `before submit, moment ${diesAt}`).toBe('read')
    }
  })

  // Promise 8 of docs/guarantees.md.
  it('every few moments, again and again, still ends confirmed', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    let lives = 0
    for (;;) {
      // Three uploads at once ask first: six moments, of which nothing can be written down. With the next two one is sent.
      const outcome = await drainOnce(world, world.worker(workerLifetime(8 + (lives++ % 3))))
      if (outcome !== 'died') break
      expect(lives).toBeLessThan(200)
    }
    expect(lives).toBeGreaterThan(5)
    await expectThrough(world, id, 3)
    expect([...world.server.stored.values()]).toEqual([1, 1, 1, 1])
  })
})
