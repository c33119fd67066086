import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { admitChunk } from './admit.ts'
import type { Context } from './context.ts'
import { endSession, startSession } from './sessions.ts'
import { storeChoice } from './store-choice.ts'
import {
  aRawStart,
  aStart,
  cidOf,
  createWorld,
  drainOnce,
  sealedChunk,
  sessionIdOf,
  type World,
} from '../testing/world.ts'
import { workerLifetime } from '../testing/worker-lifetime.ts'
import { fakeStoreServer } from '../testing/fake-servers.ts'
import { copies } from '../adapters/transports/copies.ts'
import type { Transport } from '../ports/transport.ts'

// Promises 2, 4, 5 of docs/guarantees.md.

const id = sessionIdOf(1)
const plain = { name: 'one' }
/** Two stores that nobody writes to here. */
const two = copies(['one', 'two'].map((name) => Object.assign(createWorld().worker().transport, { name })))
const code = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return HoldfastError.from(error)
  }
  throw new Error('It was taken.')
}

describe('a session that begins', () => {
  it('goes to all stores, and wants a copy in each, unless it says otherwise', () => {
    expect(storeChoice(plain, {}, true)).toEqual({ stores: ['one'], atLeast: 1 })
    expect(storeChoice(two, {}, true)).toEqual({ stores: ['one', 'two'], atLeast: 2 })
    expect(storeChoice(two, { atLeast: 1 }, true)).toEqual({ stores: ['one', 'two'], atLeast: 1 })
    expect(storeChoice(two, { stores: ['two'] }, true)).toEqual({ stores: ['two'], atLeast: 1 })
  })

  it.each([
    { stores: ['three'] },
    { stores: ['one', 'three'], atLeast: 1 },
    { stores: ['one', 'one'] },
    { stores: ['copies'] },
    { stores: [] },
    { stores: ['one'], atLeast: 2 },
    { atLeast: 3 },
  ])('may not want %j: the error names what there is', (choice) => {
    const error = code(() => storeChoice(two, choice, true))
    expect(error.code).toBe('bad-input')
    expect(error.message).toContain('this worker has one,two')
  })

  it('is refused before anything is stored', async () => {
    const world = createWorld()
    const start = { ...aStart(), stores: ['elsewhere'] }
    await expect(startSession(world.worker(), start)).rejects.toMatchObject({ code: 'bad-input' })
    expect(await world.disk.read((tx) => tx.sessions())).toEqual([])
  })

  it('is answered again by a worker that has lost its store, or its sealer, since', async () => {
    const world = createWorld()
    const start = { ...aStart(), stores: ['one', 'two'] }
    const first = await startSession({ ...world.worker(), transport: two }, start)
    const { sealer: _lost, ...later } = world.worker()
    expect(await startSession(later, start)).toEqual(first)
    const raw = await startSession(world.worker(), aRawStart(2))
    expect(await startSession(later, aRawStart(2))).toEqual(raw)
  })
})

/** A device whose worker has two stores. */
function worldOfTwo() {
  const world = createWorld()
  const servers = [fakeStoreServer(world.clock), fakeStoreServer(world.clock)] as const
  const names = ['one', 'two'] as const
  const storesOf = (alive: ReturnType<typeof workerLifetime>) =>
    servers.map((server, at) => ({ ...server.transportOf(alive), name: names[at] ?? '' }))
  const worker = (alive = workerLifetime()) => ({
    ...world.worker(alive),
    transport: copies(storesOf(alive), 'copies', world.clock),
  })
  const workerWithOne = (alive = workerLifetime()) => ({
    ...world.worker(alive),
    transport: storesOf(alive)[0] as Transport,
  })
  return { world, servers, worker, workerWithOne }
}

async function recorded(context: Context, choice: { stores?: string[]; atLeast?: number } = {}) {
  await startSession(context, { ...aStart(), ...choice })
  await admitChunk(context, await sealedChunk(id, 0))
  await endSession(context, id)
}
const settled = async (world: World) => (await world.statuses(id)).every((status) => status === 'confirmed')

describe('a session with two stores', () => {
  it('has its chunks and its page in both when it is settled', async () => {
    const { world, servers, worker } = worldOfTwo()
    await recorded(worker())
    expect(await drainOnce(world, worker())).toBe('idle')
    expect(await settled(world)).toBe(true)
    for (const server of servers) expect([...server.stored.values()]).toEqual([1, 1])
    expect([...servers[0].stored.keys()]).toEqual([...servers[1].stored.keys()])
  })

  it('goes to those that it names', async () => {
    const { world, servers, worker } = worldOfTwo()
    await recorded(worker(), { stores: ['two'] })
    await drainOnce(world, worker())
    expect(await settled(world)).toBe(true)
    expect(servers.map((server) => server.stored.size)).toEqual([0, 2])
  })

  it('is settled with one of them where one is enough, and not where it wants both', async () => {
    for (const [atLeast, status] of [
      [1, 'confirmed'],
      [2, 'uploading'],
    ] as const) {
      const { world, servers, worker } = worldOfTwo()
      servers[1].fault = () => ({ code: 'unreachable' })
      await recorded(worker(), { atLeast })
      await drainOnce(world, worker(), 'push')
      expect(await world.statuses(id)).toEqual([status])
      expect(servers[0].sends((await world.chunks(id)).map(cidOf)[0] ?? '')).toBe(1)
    }
  })

  it('survives a death at any moment: each store takes each object once', async () => {
    let diesAt = 0
    for (let died = true; died;) {
      const { world, servers, worker } = worldOfTwo()
      await recorded(worker())
      died = (await drainOnce(world, worker(workerLifetime(++diesAt)))) === 'died'
      if (died) expect(await drainOnce(world, worker())).toBe('idle')
      expect(await settled(world), `moment ${diesAt}`).toBe(true)
      for (const server of servers) expect([...server.stored.values()], `moment ${diesAt}`).toEqual([1, 1])
    }
    expect(diesAt).toBeGreaterThan(20)
  })

  it('leaves one that asked for ten minutes alone, whatever worker comes, and whatever chunk', async () => {
    const { world, servers, worker } = worldOfTwo()
    await recorded(worker())
    servers[1].fault = () => ({ code: 'throttled', retryAfterMs: 600_000 })
    await drainOnce(world, worker(), 'push')
    // The chunk, and its page where that was under way before the answer.
    const asked = servers[1].ledger.slice()
    servers[1].fault = () => undefined
    for (let index = 1; index < 5; index++) {
      await startSession(worker(), aStart(index + 1))
      await admitChunk(worker(), await sealedChunk(sessionIdOf(index + 1), 0))
      await drainOnce(world, worker(), 'push')
    }
    expect(servers[1].ledger).toEqual(asked)
    await world.clock.advance(600_000)
    await drainOnce(world, worker())
    const again = servers[1].ledger[asked.length]
    expect((again?.atMs ?? 0) - (asked.at(-1)?.atMs ?? 0)).toBeGreaterThanOrEqual(600_000)
    expect(await settled(world)).toBe(true)
  })

  it('waits, by name, where a later worker has lost one of them, and goes on when it is back', async () => {
    const { world, servers, worker, workerWithOne } = worldOfTwo()
    await recorded(worker(), { stores: ['one', 'two'] })
    expect(await drainOnce(world, workerWithOne(), 'push')).toBe('work-remains')
    const [chunk] = await world.chunks(id)
    expect(chunk).toMatchObject({
      state: { status: 'uploading' },
      effort: {
        lastError: {
          code: 'copies-missing',
          message: '2 of one,two are wanted; this worker has one.',
        },
      },
    })
    expect(chunk?.effort?.notBeforeMs).toBeLessThan(Infinity)
    expect(chunk && (await world.hasPayload(chunk))).toBe(true)
    await drainOnce(world, worker())
    expect(await settled(world)).toBe(true)
    for (const server of servers) expect([...server.stored.values()]).toEqual([1, 1])
  })

  it('goes on where a later worker has lost one of them, and the other is enough', async () => {
    const { world, servers, worker, workerWithOne } = worldOfTwo()
    await recorded(worker(), { stores: ['two', 'one'], atLeast: 1 })
    expect(await drainOnce(world, workerWithOne())).toBe('idle')
    expect(await settled(world)).toBe(true)
    expect(servers.map((server) => server.stored.size)).toEqual([2, 0])
  })
})
