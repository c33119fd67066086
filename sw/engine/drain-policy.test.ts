import { describe, expect, it } from 'vitest'
import { OwnError } from '../ports/own-error.ts'
import { recordingLockName } from '../../src/protocol/messages.ts'
import type { Policy } from '../../src/protocol/snapshot.ts'
import { sealInWorker } from '../seal.ts'
import { expectThrough } from '../testing/expect-through.ts'
import {
  aRawStart,
  createWorld,
  drainOnce,
  rawChunk,
  recordSession,
  sessionIdOf,
  type World,
} from '../testing/world.ts'
import { admitChunk } from './admit.ts'
import type { Sealer } from './context.ts'
import { createDrain } from './drain.ts'
import { endSession, pauseSession, resumeSession, startSession } from './sessions.ts'

const id = sessionIdOf(1)

describe('the policy', () => {
  const setPolicy = (world: World, policy: Policy) => world.disk.write((tx) => tx.putMeta('policy', policy))
  const requests = ({ server, chain }: World) => server.ledger.length + chain.ledger.length

  it('paused lets nothing leave and asks for no wake, while chunks are taken and sealed', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    await startSession(world.worker(), aRawStart(2))
    for (const index of [0, 1, 2, 3]) await admitChunk(world.worker(), await rawChunk(sessionIdOf(2), index))
    await endSession(world.worker(), sessionIdOf(2))
    await setPolicy(world, 'paused')
    const worker = world.worker()
    expect(await drainOnce(world, worker)).toBe('idle')
    expect(worker.armed).toBe(0)
    expect(requests(world)).toBe(0)
    for (const sessionId of [id, sessionIdOf(2)])
      expect(new Set(await world.statuses(sessionId))).toEqual(new Set(['uploading']))

    await setPolicy(world, 'always')
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 3)
    await expectThrough(world, sessionIdOf(2), 4)
  })

  it.each(['paused', 'unmetered'] as const)(
    '%s leaves no chunk raw whose sealing failed once',
    async (policy) => {
      const world = createWorld()
      await recordSession(world, { chunks: 2, ending: 'recording', seal: 'worker' })
      await setPolicy(world, policy)
      world.network.metered = true
      const worker = world.worker()
      let sealings = 0
      const sealer: Sealer = async (context, chunk) => {
        if (sealings++ === 0) throw new OwnError('storage-full', 'The device is full.')
        await sealInWorker(context, chunk)
      }
      await drainOnce(world, { ...worker, sealer })
      expect(await world.statuses(id)).toEqual(['uploading', 'uploading'])
      expect(world.server.ledger).toEqual([])
    },
  )

  it('paused stops what is under way, and spends no attempt on it', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    world.server.latencyMs = 60_000
    const drain = createDrain(world.worker())
    const first = drain.join('message')
    await world.clock.advance(1_000)
    await setPolicy(world, 'paused')
    drain.notify()
    await world.clock.runUntil(first)
    expect(await first).toBe('idle')
    expect(requests(world)).toBe(0)
    for (const chunk of await world.chunks(id)) {
      expect(chunk).toMatchObject({ retryCount: 0, state: { status: 'uploading' }, effort: { sent: true } })
      expect(chunk.effort?.lastError).toBeUndefined()
    }
    expect((await world.session(id)).trouble).toBeUndefined()
    await setPolicy(world, 'always')
    await world.clock.runUntil(drain.join('message'))
    await expectThrough(world, id, 3)
    expect([...world.server.stored.values()]).toEqual([1, 1, 1, 1])
  })

  it.each(['paused', 'unmetered'] as const)('%s stops a publication too', async (policy) => {
    const world = createWorld()
    await recordSession(world)
    const drain = createDrain(world.worker())
    const joined = drain.join('message')
    await world.clock.advance(500)
    expect(await world.statuses(id)).toEqual(['anchoring'])
    world.network.metered = true
    await setPolicy(world, policy)
    const before = requests(world)
    drain.notify()
    await world.clock.runUntil(joined)
    expect(await joined).toBe(policy === 'paused' ? 'idle' : 'work-remains')
    expect(requests(world)).toBe(before)
    await setPolicy(world, 'always')
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 1)
  })

  it('unmetered waits while the browser tells of a metered network, and goes on without another wake', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    await setPolicy(world, 'unmetered')
    world.network.metered = true
    const worker = world.worker()
    let looks = 0
    const { read } = worker.store
    worker.store.read = (work) => (looks++, read(work))
    const joined = createDrain(worker).join('message')
    await world.clock.advance(60_000)
    expect(requests(world)).toBe(0)
    expect(worker.armed).toBeGreaterThan(0)
    expect(looks).toBeLessThan(10)
    world.network.metered = false
    await world.clock.runUntil(joined)
    expect(await joined).toBe('idle')
    await expectThrough(world, id, 3)
  })

  it('unmetered ends with work-remains when the network stays metered, and always goes on over it', async () => {
    const world = createWorld()
    await recordSession(world)
    await setPolicy(world, 'unmetered')
    world.network.metered = true
    expect(await drainOnce(world, world.worker(), 'sync')).toBe('work-remains')
    expect(requests(world)).toBe(0)
    await setPolicy(world, 'always')
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 1)
  })

  it('paused or not, a dead recorder is noticed', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    const release = world.locks.hold(recordingLockName(id))
    await setPolicy(world, 'paused')
    expect(await drainOnce(world, world.worker())).toBe('idle')
    release()
    await world.clock.advance(100)
    expect((await world.session(id)).ending).toBe('interrupted')
    expect(requests(world)).toBe(0)
  })
})

describe('a pause', () => {
  it('stops uploads and publications, and resuming goes on', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    await pauseSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(world.server.ledger).toEqual([])
    await resumeSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 2)
  })

  it('holds a publication that is in flight', async () => {
    const world = createWorld()
    await recordSession(world)
    world.chain.fault = () => ({ code: 'server-error' })
    await drainOnce(world, world.worker(), 'push')
    await pauseSession(world.worker(), id)
    world.chain.fault = () => undefined
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(world.chain.entries).toEqual([])
    await resumeSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 1)
  })
})
