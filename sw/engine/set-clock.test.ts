import { describe, expect, it } from 'vitest'
import { createWorld, recordSession, sessionIdOf, type World } from '../testing/world.ts'
import { createDrain } from './drain.ts'

// Promise 5 of docs/guarantees.md: how long something lasts is no matter of the time of day, which somebody may set.

const id = sessionIdOf(1)
const DAY_MS = 86_400_000
const never = () => new Promise<never>(() => {})

type Worker = ReturnType<World['worker']>

/** The worker, by a clock that was set this far ahead. */
const byClock = (worker: Worker, aheadMs: () => number): Worker => ({
  ...worker,
  clock: { ...worker.clock, now: () => worker.clock.now() + aheadMs() },
})

/** A page greets the drain every 20 s, so long; by the time of its next look after that the clock is set by so much. */
async function greeted(world: World, worker: Worker, ms: number, byMs: number) {
  let aheadMs = 0
  const drain = createDrain(byClock(worker, () => aheadMs))
  for (let at = 0; at < ms; at += 20_000) {
    void drain.join('message').catch(() => undefined)
    await world.clock.advance(1_000)
    aheadMs += byMs
    await world.clock.advance(19_000)
  }
}

describe.each([
  ['ahead', DAY_MS],
  ['back', -DAY_MS],
])('while the clock is set %s by a day each 20 s', (_way, byMs) => {
  it.each(['a store', 'a chain', 'a sealer', 'the app'])(
    'how %s hangs is told within two minutes',
    async (who) => {
      const world = createWorld()
      const { anchor, transport, ...rest } = world.worker()
      const worker: Worker = {
        ...rest,
        transport: who === 'a store' ? { ...transport, send: never } : transport,
        anchor: who === 'a chain' ? { ...anchor, read: never } : anchor,
        ...(who === 'a sealer' && { sealer: never }),
        ...(who === 'the app' && { onSettled: never }),
      }
      await recordSession(world, { worker, seal: who === 'a sealer' ? 'worker' : 'page' })
      await greeted(world, worker, 120_000, byMs)
      expect((await world.session(id)).trouble).toMatchObject({
        error: { code: expect.any(String) as string },
      })
    },
  )

  it('what goes on is told as nothing else', async () => {
    const world = createWorld()
    world.server.latencyMs = 50_000
    await recordSession(world)
    await greeted(world, world.worker(), 40_000, byMs)
    expect((await world.session(id)).trouble).toBeUndefined()
  })

  it('what is sent slowly arrives, once', async () => {
    const world = createWorld()
    world.server.latencyMs = 50_000
    await recordSession(world, { chunks: 2 })
    await greeted(world, world.worker(), 240_000, byMs)
    expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
    expect(Math.max(...world.server.stored.values())).toBe(1)
  })
})
