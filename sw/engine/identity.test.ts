import { describe, expect, it } from 'vitest'
import { pageCid } from '../../src/evidence/page.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import type { SessionSnapshot } from '../../src/protocol/snapshot.ts'
import type { HeadRecord } from '../core/record.ts'
import { OwnError } from '../ports/own-error.ts'
import { expectThrough } from '../testing/expect-through.ts'
import { fakeChain, fakeStoreServer } from '../testing/fake-servers.ts'
import { workerLifetime } from '../testing/worker-lifetime.ts'
import {
  cidOf,
  createWorld,
  drainOnce,
  recordSession,
  sealedChunk,
  sessionIdOf,
  type World,
} from '../testing/world.ts'
import { admitChunk } from './admit.ts'
import { change } from './change.ts'
import { createDrain } from './drain.ts'
import { reply } from './requests.ts'
import { adoptSession, endSession, pauseSession, resumeSession } from './sessions.ts'

// Promises 2, 3, 5 of docs/guarantees.md.

const id = sessionIdOf(1)

/** The same device, set up anew: its workers bring things to another store and another registry. */
function setUpAnew(world: World) {
  const elsewhere = { ...world, server: fakeStoreServer(world.clock), chain: fakeChain(world.clock) }
  const worker = (): ReturnType<World['worker']> => {
    const alive = workerLifetime()
    return {
      ...world.worker(alive),
      transport: elsewhere.server.transportOf(alive),
      anchor: elsewhere.chain.anchorOf(alive),
      identity: 'other-store other-chain',
    }
  }
  return { ...elsewhere, worker }
}

const snapshot = async (worker: ReturnType<World['worker']>, of = id) => {
  const told = await reply(worker, { holdfast: PROTOCOL_VERSION, type: 'sessions' })
  if (!told.ok) throw new Error(told.error.message)
  return (told.value as readonly SessionSnapshot[]).find((session) => session.id === of)
}

/** A recording of three chunks that is on its way; the chain takes nothing yet. */
async function underWay(chunks = 3) {
  const world = createWorld()
  await recordSession(world, { chunks, ending: 'recording' })
  world.chain.fault = (op) => (op === 'submit' ? { code: 'server-error' } : undefined)
  await drainOnce(world, world.worker(), 'push')
  expect((await world.session(id)).listed.tree.size).toBeGreaterThan(1)
  return world
}

// Promises 3, 5 of docs/guarantees.md.
it('asks and sends nothing of a session that belongs elsewhere, though no write can say so', async () => {
  const world = createWorld()
  world.server.fault = () => ({ code: 'timeout' })
  await recordSession(world, { chunks: 3 })
  await drainOnce(world, world.worker(), 'push')
  expect((await world.chunks(id)).every(({ effort }) => effort?.sent)).toBe(true)
  const other = setUpAnew(world)
  const worker = other.worker()
  let writes = 0
  const write = () => (writes++, Promise.reject(new OwnError('storage-full', 'The device is full.')))
  const drain = createDrain({ ...worker, store: { ...worker.store, write } })
  for (let greeted = 0; greeted < 6; greeted++) {
    drain.join('message').catch(() => undefined)
    await world.clock.advance(20_000)
  }
  expect(other.server.ledger).toEqual([])
  expect(other.chain.ledger).toEqual([])
  expect(writes).toBeLessThan(50)
})

// Promise 3 of docs/guarantees.md.
it('asks and sends nothing of a session that belongs elsewhere, which a person pauses while a look finds that', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 3 })
  // What has been sent is asked for first, which writes nothing before.
  for (const chunk of await world.chunks(id))
    await change(world.worker(), id, { type: 'chunk', id: chunk.id, event: { type: 'send-began' } })
  const other = setUpAnew(world)
  const worker = other.worker()
  const { write } = worker.store
  let pausing: Promise<unknown> | undefined
  const store: typeof worker.store = {
    ...worker.store,
    async write(work, needs) {
      await (pausing ??= pauseSession(world.worker(), id))
      return write(work, needs)
    },
  }
  await drainOnce(other, { ...worker, store }, 'push')
  expect(pausing).toBeDefined()
  expect(other.server.ledger).toEqual([])
  expect(other.chain.ledger).toEqual([])
})

// Promises 2, 3, 5 of docs/guarantees.md.
it.each([
  ['twice', 1],
  ['there and back', 2],
  ['to and fro nine times', 9],
] as const)(
  'a session that is adopted %s while it is on its way is through where it is in the end',
  async (how, times) => {
    for (const atMs of [50, 600, 1_500, 4_000]) {
      const world = createWorld()
      const other = setUpAnew(world)
      world.server.latencyMs = other.server.latencyMs = 300
      await recordSession(world, { chunks: 4 })
      const drains = [createDrain(world.worker()), createDrain(other.worker())] as const
      void drains[0].join('message')
      await world.clock.advance(atMs)
      for (let time = 1; time <= times; time++) {
        await adoptSession(time % 2 === 1 ? other.worker() : world.worker(), id)
        if (how === 'twice') await adoptSession(other.worker(), id)
        await world.clock.advance(130)
      }
      const place = times % 2 === 1 ? other : world
      for (let looks = 0; looks < 10; looks++) {
        for (const drain of drains) void drain.join('message')
        await world.clock.advance(30_000)
      }
      await expectThrough(place, id, 4)
    }
  },
)

describe('a session that is bound elsewhere', () => {
  it('is left alone and told, while what comes in is taken', async () => {
    const world = await underWay()
    const other = setUpAnew(world)
    const worker = other.worker()
    await admitChunk(worker, await sealedChunk(id, 3))
    await endSession(worker, id)
    expect(await drainOnce(world, worker)).toBe('idle')

    expect([other.server.ledger, other.chain.ledger]).toEqual([[], []])
    for (const chunk of await world.chunks(id)) expect(await world.hasPayload(chunk)).toBe(true)
    expect(await snapshot(worker)).toMatchObject({
      lastError: {
        code: 'other-destination',
        message: expect.stringContaining('fake-store fake-chain') as unknown,
      },
    })
    expect(world.announced).toContain(id)
    // No person's wish to go on changes that, and what is recorded now goes on beside it.
    await resumeSession(worker, id)
    await recordSession(other, { number: 2 })
    expect(await drainOnce(world, worker)).toBe('idle')
    await expectThrough(other, sessionIdOf(2), 1)
    expect((await snapshot(worker, sessionIdOf(2)))?.lastError).toBeUndefined()
    expect(other.server.sends(cidOf((await world.chunks(id))[3]))).toBe(0)
  })

  it('goes on by itself once its own worker is back, and stays paused if it was', async () => {
    const world = await underWay()
    await endSession(world.worker(), id)
    await pauseSession(world.worker(), id)
    await drainOnce(world, setUpAnew(world).worker())
    world.chain.fault = () => undefined
    await drainOnce(world, world.worker())
    expect(await world.session(id)).toMatchObject({ paused: true })
    await resumeSession(world.worker(), id)
    await drainOnce(world, world.worker())
    await expectThrough(world, id, 3)
  })

  it('takes nothing of what an older worker still brings to its place after it was adopted', async () => {
    const world = createWorld()
    await recordSession(world)
    world.server.latencyMs = 1_000
    const other = setUpAnew(world)
    const old = createDrain(world.worker()).join('push')
    await world.clock.advance(500)
    await adoptSession(other.worker(), id)
    await world.clock.runUntil(old)
    expect(world.server.stored.size).toBeGreaterThan(0)
    expect(await world.statuses(id)).toEqual(['uploading'])
    world.server.latencyMs = 0
    await drainOnce(world, other.worker())
    await expectThrough(other, id, 1)
  })
})

describe('an adopted session', () => {
  it('goes up whole to the new store, with the same heads, and is anchored anew', async () => {
    const world = await underWay()
    await admitChunk(world.worker(), await sealedChunk(id, 3))
    await drainOnce(world, world.worker(), 'push')
    await endSession(world.worker(), id)
    await drainOnce(world, world.worker(), 'push')
    const heads = await headsOf(world)
    expect(heads.length).toBeGreaterThan(1)

    const other = setUpAnew(world)
    await drainOnce(world, other.worker())
    const worker = other.worker()
    await reply(worker, { holdfast: PROTOCOL_VERSION, type: 'adopt', sessionId: id })
    await drainOnce(world, worker)
    await expectThrough(other, id, 4)
    expect(await headsOf(world)).toEqual(heads)
    expect(await world.session(id)).toMatchObject({
      identity: 'other-store other-chain',
      paused: false,
    })
  })

  it('keeps what was confirmed where it was, and brings the rest and all pages to the new place', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2, ending: 'recording' })
    await drainOnce(world, world.worker(), 'push')
    expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
    const other = setUpAnew(world)
    const worker = other.worker()
    await admitChunk(worker, await sealedChunk(id, 2))
    await endSession(worker, id)
    await drainOnce(world, worker)
    await adoptSession(worker, id)
    expect((await world.session(id)).anchored).toBeUndefined()
    await drainOnce(world, worker)
    await expectThrough(other, id, 3)
    const [first, , last] = await world.chunks(id)
    expect([other.server.sends(cidOf(first)), other.server.sends(cidOf(last))]).toEqual([0, 1])
  })

  it('sends nothing again where only the name is another: all of it is asked for, and found', async () => {
    const world = await underWay()
    await endSession(world.worker(), id)
    await drainOnce(world, world.worker(), 'push')
    const sends = world.server.ledger.filter(({ op }) => op === 'send').length
    const renamed = { ...world.worker(), identity: 'fake-store-2 fake-chain' }
    world.chain.fault = () => undefined
    await adoptSession(renamed, id)
    await drainOnce(world, renamed)
    await expectThrough(world, id, 3)
    expect(world.server.ledger.filter(({ op }) => op === 'send')).toHaveLength(sends)
  })

  it('begins again once, and not at all where it is at home, or settled', async () => {
    const world = await underWay()
    const before = await world.session(id)
    expect(await adoptSession(world.worker(), id)).toEqual(before)
    const worker = setUpAnew(world).worker()
    const adopted = await adoptSession(worker, id)
    expect(await adoptSession(worker, id)).toEqual(adopted)

    const settled = await recordSession(world, { number: 2 })
    world.chain.fault = () => undefined
    await drainOnce(world, world.worker())
    const confirmed = await world.session(settled)
    expect(await adoptSession(worker, settled)).toEqual(confirmed)
    await expect(adoptSession(worker, sessionIdOf(9))).rejects.toThrow(HoldfastError)
  })

  it('keeps every byte here until the new store has all pages that its chunk is found by', async () => {
    const world = await underWay()
    await endSession(world.worker(), id)
    await drainOnce(world, world.worker(), 'push')
    const pages = new Set((await headsOf(world)).map(({ page }) => pageCid(page)))
    expect(pages.size).toBeGreaterThan(1)

    const other = setUpAnew(world)
    // The chunks come in, and the chain takes the head; the first page does not get through.
    const [first] = pages
    other.server.fault = (op, of) => (op === 'send' && of === first ? { code: 'server-error' } : undefined)
    await adoptSession(other.worker(), id)
    await drainOnce(world, other.worker(), 'push')
    expect(other.chain.entries.length).toBe(1)
    expect(await world.statuses(id)).toEqual(['anchoring', 'anchoring', 'anchoring'])
    for (const chunk of await world.chunks(id)) expect(await world.hasPayload(chunk)).toBe(true)
    other.server.fault = () => undefined
    await drainOnce(world, other.worker())
    await expectThrough(other, id, 3)
    for (const page of pages) expect(other.server.stored.has(page)).toBe(true)
  })
})

describe('a settled session of another place', () => {
  it('is not looked after by this one, whose chain knows nothing of it', async () => {
    const world = createWorld()
    await recordSession(world)
    await drainOnce(world, world.worker())
    const settled = await world.session(id)
    await world.clock.advance(600_000)
    const other = setUpAnew(world)
    await drainOnce(world, other.worker(), 'push')
    expect(other.chain.ledger).toEqual([])
    expect(await world.session(id)).toEqual(settled)
  })
})

describe('a session of an older version', () => {
  it('is bound to nobody: it goes on with any worker', async () => {
    const world = createWorld()
    await recordSession(world)
    await world.disk.write(async (tx) => {
      const { identity: _none, ...older } = (await tx.session(id))!
      await tx.putSession(older)
    })
    const other = setUpAnew(world)
    await drainOnce(world, other.worker())
    await expectThrough(other, id, 1)
  })
})

/** All heads that were signed; when their pages were proved, and which block took them, is not of them. */
async function headsOf(world: World): Promise<Omit<HeadRecord, 'provedAtMs' | 'anchored'>[]> {
  const heads = await world.disk.read((tx) => tx.heads(id, 0, Infinity))
  return heads.map(({ provedAtMs: _when, anchored: _where, ...head }) => head)
}
