import { describe, expect, it } from 'vitest'
import { admitChunk } from './admit.ts'
import type { OnSettled, Settled } from './context.ts'
import { createDrain } from './drain.ts'
import { discardSession, endSession, interruptSession, startSession } from './sessions.ts'
import { aStart, createWorld, drainOnce, sealedChunk, sessionIdOf, type World } from '../testing/world.ts'
import { workerLifetime, type WorkerLifetime } from '../testing/worker-lifetime.ts'

// Promises 2, 5 of docs/guarantees.md.

const id = sessionIdOf(1)

/** A worker whose app hears of what has settled. */
const worker = (world: World, onSettled: OnSettled, lifetime?: WorkerLifetime) => ({
  ...world.worker(lifetime),
  onSettled,
})

async function record(world: World, onSettled: OnSettled, number = 1): Promise<void> {
  const context = worker(world, onSettled)
  const start = aStart(number)
  await startSession(context, start)
  await admitChunk(context, await sealedChunk(start.sessionId, 0))
  await endSession(context, start.sessionId)
}

describe('onSettled', () => {
  it('is called once for a settled session, with no page and a stable key, and not before it is settled', async () => {
    const world = createWorld()
    const heard: Settled[] = []
    const hear: OnSettled = async (settled) => void heard.push(settled)
    await record(world, hear)
    expect(await drainOnce(world, worker(world, hear))).toBe('idle')
    expect(await drainOnce(world, worker(world, hear))).toBe('idle')
    const { name, size, open } = await world.session(id)
    expect(heard.map(({ key }) => key)).toEqual([`${name}/${size}`])
    expect(heard[0]?.session).toMatchObject({ id, upload: 'confirmed', ending: 'complete' })
    expect(open).toBeUndefined()
  })

  it('is called again after a death at any moment, until it has resolved and that is written down', async () => {
    for (let diesAt = 1; ; diesAt++) {
      const world = createWorld()
      const keys: string[] = []
      const lifetime = workerLifetime(diesAt)
      const hears =
        (alive: WorkerLifetime): OnSettled =>
        ({ key }) =>
          alive.effect(async () => void keys.push(key))
      await record(world, hears(workerLifetime()))
      await drainOnce(world, worker(world, hears(lifetime), lifetime))
      if (!lifetime.dead) break
      const next = workerLifetime()
      expect(await drainOnce(world, worker(world, hears(next), next))).toBe('idle')
      const { name, size } = await world.session(id)
      expect(new Set(keys), `death at ${diesAt}`).toEqual(new Set([`${name}/${size}`]))
      expect((await world.session(id)).completion?.told).toBe(size)
    }
  })

  it('that rejects is work that remains, is told, waits longer each time, and holds no upload up', async () => {
    const world = createWorld()
    const atMs: number[] = []
    const rejects: OnSettled = async () => {
      atMs.push(world.clock.now())
      throw new Error('The backend is down.')
    }
    await record(world, rejects)
    expect(await drainOnce(world, worker(world, rejects), 'push')).toBe('work-remains')
    const { trouble, open, tally } = await world.session(id)
    expect(trouble?.error).toMatchObject({ code: 'completion-failed', message: 'The backend is down.' })
    expect({ open: open !== undefined, confirmed: tally.confirmed }).toEqual({ open: true, confirmed: 1 })
    expect(atMs.length).toBeGreaterThan(1)
    expect(atMs.length).toBeLessThan(20)

    await record(world, rejects, 2)
    await drainOnce(world, worker(world, rejects), 'push')
    expect((await world.session(sessionIdOf(2))).tally.confirmed).toBe(1)

    const keys: string[] = []
    await world.clock.advance(120_000)
    const resolves: OnSettled = async ({ key }) => void keys.push(key)
    expect(await drainOnce(world, worker(world, resolves))).toBe('idle')
    expect(keys.length).toBe(2)
    expect((await world.session(id)).trouble).toBeUndefined()
  })

  it('that hangs is told as what it is within two minutes, and is called again', async () => {
    const world = createWorld()
    let calls = 0
    const hangs: OnSettled = async () => (calls++ === 0 ? new Promise(() => {}) : undefined)
    await record(world, hangs)
    void createDrain(worker(world, hangs)).join('message')
    await world.clock.advance(115_000)
    const { log } = await world.disk.read(async (tx) => ({ log: await tx.log(100) }))
    expect(log.find(({ error }) => error)?.error).toMatchObject({ code: 'completion-failed' })
    await world.clock.advance(60_000)
    expect((await world.session(id)).open).toBeUndefined()
  })

  it('that hangs is told of those too that wait for it behind others, until it resolves', async () => {
    const world = createWorld()
    let hangs = true
    const hook: OnSettled = () => (hangs ? new Promise(() => {}) : Promise.resolve())
    for (let number = 1; number <= 8; number++) await record(world, hook, number)
    const troubles = () =>
      Promise.all(
        [1, 2, 3, 4, 5, 6, 7, 8].map(async (number) => (await world.session(sessionIdOf(number))).trouble),
      )
    const drain = createDrain(worker(world, hook))
    void drain.join('message')
    await world.clock.advance(120_000)
    for (const trouble of await troubles())
      expect(trouble).toMatchObject({ error: { code: 'completion-failed' } })
    hangs = false
    void drain.join('message')
    await world.clock.advance(240_000)
    expect(await troubles()).toEqual(Array(8).fill(undefined))
  })

  it('is called again with another key where more was recorded after an interruption', async () => {
    const world = createWorld()
    const keys: string[] = []
    const hear: OnSettled = async ({ key }) => void keys.push(key)
    const context = worker(world, hear)
    await startSession(context, aStart())
    await admitChunk(context, await sealedChunk(id, 0))
    await interruptSession(context, id)
    await drainOnce(world, worker(world, hear))
    const { size } = await world.session(id)
    await admitChunk(context, await sealedChunk(id, 1))
    await drainOnce(world, worker(world, hear))
    const after = await world.session(id)
    expect(after.size).toBeGreaterThan(size)
    expect(keys).toEqual([`${after.name}/${size}`, `${after.name}/${after.size}`])
  })

  it('keeps a session whose app is still to be told from being discarded without the confirmation', async () => {
    const world = createWorld()
    const rejects: OnSettled = async () => Promise.reject(new Error('Down.'))
    await record(world, rejects)
    const context = worker(world, rejects)
    await drainOnce(world, context, 'push')
    await expect(discardSession(context, id, undefined)).rejects.toMatchObject({ code: 'not-confirmed' })
  })

  it('is owed to nobody any more where the app has it no more', async () => {
    const world = createWorld()
    await record(world, async () => Promise.reject(new Error('Down.')))
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect((await world.session(id)).open).toBeUndefined()
  })
})

it('onSettled of a worker that has it for the first time is told of what it ends, and of nothing that an earlier one without it ended', async () => {
  const world = createWorld()
  const keys: string[] = []
  const hear: OnSettled = async ({ key }) => void keys.push(key)
  const without = world.worker()
  for (const number of [1, 2]) {
    await startSession(without, aStart(number))
    await admitChunk(without, await sealedChunk(sessionIdOf(number), 0))
  }
  await endSession(without, sessionIdOf(1))
  const first = worker(world, hear)
  await endSession(first, sessionIdOf(2))
  expect(await drainOnce(world, first)).toBe('idle')
  const { name, size } = await world.session(sessionIdOf(2))
  expect(keys).toEqual([`${name}/${size}`])
})

it('onSettled is called by a worker that goes elsewhere too: what has settled goes nowhere any more', async () => {
  const world = createWorld()
  const rejects: OnSettled = async () => Promise.reject(new Error('Down.'))
  await record(world, rejects)
  await drainOnce(world, worker(world, rejects), 'push')
  await world.clock.advance(120_000)
  const keys: string[] = []
  const hear: OnSettled = async ({ key }) => void keys.push(key)
  const elsewhere = { ...worker(world, hear), identity: 'another place' }
  expect(await drainOnce(world, elsewhere)).toBe('idle')
  expect(keys).toHaveLength(1)
  expect((await world.session(id)).open).toBeUndefined()
})
