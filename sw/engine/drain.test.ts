import { describe, expect, it } from 'vitest'
import { recordingLockName } from '../../src/protocol/messages.ts'
import { expectThrough } from '../testing/expect-through.ts'
import { publishedLog } from '../testing/published-log.ts'
import { createWorld, drainOnce, recordSession, sealedChunk, sessionIdOf } from '../testing/world.ts'
import { admitChunk } from './admit.ts'
import { BUDGETS_MS, createDrain, DRAIN_LOCK } from './drain.ts'

const id = sessionIdOf(1)

describe('a drain', () => {
  it('takes a whole session from its chunks to the confirmation: each object sent once, one anchor', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 3)
    expect(world.server.ledger.map(({ op }) => op)).toEqual(['send', 'send', 'send', 'send'])
    expect([...world.server.stored.values()]).toEqual([1, 1, 1, 1])
    expect(world.chain.submits()).toBe(1)
    const log = await world.disk.read((tx) => tx.log(100))
    expect(log.filter(({ event }) => event === 'anchor-confirmed')).toHaveLength(3)
  })

  it('keeps nothing of sessions that are over', async () => {
    const world = createWorld()
    const worker = world.worker()
    for (let number = 1; number <= 3; number++) {
      await recordSession(world, { number, chunks: 2 })
      expect(await drainOnce(world, worker)).toBe('idle')
    }
    expect(worker.known.size).toBe(0)
    expect(worker.delivering.size).toBe(0)
  })

  it('is idle at once where nothing is left to do', async () => {
    const world = createWorld()
    const startMs = world.clock.now()
    expect(await drainOnce(world, world.worker(), 'sync')).toBe('idle')
    expect(world.clock.now()).toBe(startMs)
  })

  // Promise 9 of docs/guarantees.md.
  it('publishes a backlog of 500 chunks once', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 500, ending: 'interrupted', startedAtMs: world.clock.now() - 36e5 })
    world.server.latencyMs = 100
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 500)
    expect((await publishedLog(world, id)).pages).toHaveLength(1)
    expect(world.chain.submits()).toBe(1)
  })

  it('whose lock was taken from it leaves all that comes next to the one that has it', async () => {
    const world = createWorld()
    await recordSession(world)
    world.server.latencyMs = 600_000
    const worker = world.worker()
    let looks = 0
    const store = { ...worker.store, read: (work: never) => (looks++, worker.store.read(work)) as never }
    const drain = createDrain({ ...worker, store })
    const looksInAMinute = async () => {
      const before = looks
      await world.clock.advance(60_000)
      return looks - before
    }
    const robbed = drain.join('message').catch((error: unknown) => error)
    await world.clock.advance(1_000)
    const alone = await looksInAMinute()
    world.locks.steal(DRAIN_LOCK)
    expect(await robbed).toMatchObject({ name: 'AbortError' })
    void drain.join('message')
    await world.clock.advance(1_000)
    expect(await looksInAMinute()).toBe(alone)
  })

  it('asks to be woken again while work remains', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    await drainOnce(world, worker)
    expect(worker.armed).toBeGreaterThan(0)
  })

  it('publishes while the recording goes on, and witnesses it as often as its anchor says', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 0, ending: 'recording' })
    world.locks.hold(recordingLockName(id))
    const drain = createDrain(world.worker())
    for (let index = 0; index < 40; index++) {
      await admitChunk(world.worker(), await sealedChunk(id, index))
      void drain.join('message')
      await world.clock.advance(3_000)
    }
    const submittedAtMs = world.chain.ledger.filter(({ op }) => op === 'submit').map(({ atMs }) => atMs)
    const { everyMs } = world.worker().anchor
    for (const [at, atMs] of submittedAtMs.slice(1).entries())
      expect(atMs - (submittedAtMs[at] ?? 0)).toBeGreaterThanOrEqual(everyMs)
    expect(submittedAtMs.length).toBeGreaterThan(15)
    expect((await world.statuses(id)).slice(0, 36)).toEqual(Array.from({ length: 36 }, () => 'confirmed'))
  })
})

describe('one at a time', () => {
  it('joins the drain that runs, in this worker', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    const drain = createDrain(world.worker())
    await world.clock.runUntil(
      Promise.all([drain.join('message'), drain.join('sync'), drain.join('startup')]),
    )
    expect([...world.server.stored.values()]).toEqual([1, 1, 1, 1])
  })

  it('waits for the drain of another worker version', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    world.server.latencyMs = 500
    const both = [createDrain(world.worker()).join('message'), createDrain(world.worker()).join('message')]
    await world.clock.runUntil(Promise.all(both))
    expect(await Promise.all(both)).toEqual(['idle', 'idle'])
    expect([...world.server.stored.values()]).toEqual([1, 1, 1, 1])
    expect(world.server.ledger.filter(({ op }) => op === 'probe')).toEqual([])
  })

  it('takes over when another worker dies in the middle of it', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    world.server.latencyMs = 500
    const dying = world.worker()
    void createDrain(dying).join('message')
    const joined = createDrain(world.worker()).join('message')
    await world.clock.advance(100)
    dying.lifetime.die()
    await world.clock.runUntil(joined)
    expect(await joined).toBe('idle')
    await expectThrough(world, id, 3)
  })

  it('loses no work that comes in just after it looked for the last time', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'interrupted' })
    const worker = world.worker()
    const { read } = worker.store
    let late: Promise<unknown> | undefined
    worker.store.read = async (work) => {
      const seen = await read(work)
      if (late === undefined && (await world.session(id)).open === undefined) {
        await admitChunk(world.worker(), await sealedChunk(id, 1))
        late = drain.join('message')
      }
      return seen
    }
    const drain = createDrain(worker)
    await world.clock.runUntil(drain.join('message'))
    if (late) await world.clock.runUntil(late)
    expect(await late).toBe('idle')
    await expectThrough(world, id, 2)
  })

  it('loses no work that comes in any few turns after it finished', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const world = createWorld()
      await recordSession(world, { ending: 'interrupted' })
      const drain = createDrain(world.worker())
      const handed = await sealedChunk(id, 1)
      const late = drain.join('message').then(async () => {
        for (let turn = 0; turn < turns; turn++) await Promise.resolve()
        await admitChunk(world.worker(), handed)
        return drain.join('message')
      })
      await world.clock.runUntil(late)
      expect(await late).toBe('idle')
      await expectThrough(world, id, 2)
    }
  })

  it('queues no third drain behind the one that was joined while the last one finished', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    world.locks.hold(recordingLockName(id))
    const worker = world.worker()
    const { run } = worker.lock
    let runs = 0
    worker.lock.run = (name, work) =>
      ++runs > 1 ? run(name, work) : run(name, () => work().finally(joinAgain))
    const joinAgain = () => void drain.join('message')
    const drain = createDrain(worker)
    void drain.join('push')
    await world.clock.advance(BUDGETS_MS.push)
    expect(runs).toBe(2)
    void drain.join('message')
    expect(runs).toBe(2)
  })

  it('starts what was handed over while it waits, at once', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    world.locks.hold(recordingLockName(id))
    const drain = createDrain(world.worker())
    void drain.join('message')
    await world.clock.advance(5_000)
    await admitChunk(world.worker(), await sealedChunk(id, 1))
    const beforeMs = world.clock.now()
    void drain.join('message')
    await world.clock.advance(0)
    expect(await world.statuses(id)).toEqual(['confirmed', 'anchoring'])
    expect(world.clock.now()).toBe(beforeMs)
  })
})
