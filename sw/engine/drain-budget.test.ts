import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { cidOf, createWorld, drainOnce, recordSession, sessionIdOf } from '../testing/world.ts'
import { BUDGETS_MS, createDrain, type WakeKind } from './drain.ts'
import { createEngine } from './engine.ts'

const id = sessionIdOf(1)

describe('the budget', () => {
  it('is used where an app’s way to be woken rejects', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 6 })
    const worker = world.worker()
    worker.wake.arm = () => Promise.reject(new Error('There is no such plugin.'))
    expect(await drainOnce(world, worker)).toBe('idle')
    expect(new Set(await world.statuses(sessionIdOf(1)))).toEqual(new Set(['confirmed']))
  })

  it('is used where the browser never answers to a wake that is asked for', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 6 })
    const worker = {
      ...world.worker(),
      wake: { arm: () => new Promise<void>(() => {}), spent: new Set<string>() },
    }
    world.server.latencyMs = 100
    void createDrain(worker).join('message')
    await world.clock.advance(120_000)
    expect(await world.statuses(id)).toEqual(Array(6).fill('confirmed'))
  })

  it('is told to be the last though the database fails', async () => {
    const world = createWorld()
    await recordSession(world)
    const { store, ...worker } = world.worker()
    let told = 0
    const failing = {
      ...worker,
      store: { ...store, read: () => Promise.reject(new HoldfastError('storage-failed', 'It fails.')) },
      lastChance: async () => void told++,
    }
    const woken = createEngine(failing, Promise.resolve()).sync({ tag: 'holdfast', lastChance: true })
    await expect(woken).rejects.toThrow()
    expect(told).toBe(1)
  })

  it('is no longer where the app never has told that it was the last', async () => {
    const world = createWorld()
    await recordSession(world)
    world.server.fault = () => ({ code: 'unreachable' })
    const worker = { ...world.worker(), lastChance: () => new Promise<void>(() => {}) }
    const woken = createEngine(worker, Promise.resolve()).sync({ tag: 'holdfast', lastChance: true })
    const failed = woken.catch((error: Error) => error.message)
    await world.clock.advance(BUDGETS_MS.sync + 20_000)
    expect(await Promise.race([failed, 'nothing'])).toBe('Work remains.')
  })

  it('of a message is over where the next message holds the drain for longer; that of a sync is used', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    world.server.latencyMs = 10_000_000
    const drain = createDrain(world.worker())
    const over: string[] = []
    const join = (kind: WakeKind, name: string) =>
      drain.join(kind).then((outcome) => over.push(`${name}: ${outcome}`))
    const joined = [join('message', 'first'), join('sync', 'sync')]
    await world.clock.advance(1_000)
    joined.push(join('message', 'second'))
    await world.clock.advance(1_000)
    expect(over).toEqual(['first: work-remains'])
    await world.clock.advance(BUDGETS_MS.message)
    await Promise.all(joined)
    expect(over.slice(1)).toEqual(['sync: work-remains', 'second: work-remains'])
  })

  it.each(['sync', 'push', 'message'] as const)('of %s ends the drain with work-remains', async (kind) => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    world.server.latencyMs = 10_000_000
    const startMs = world.clock.now()
    expect(await drainOnce(world, world.worker(), kind)).toBe('work-remains')
    expect(world.clock.now() - startMs).toBeLessThanOrEqual(BUDGETS_MS[kind])
  })

  // Promise 9 of docs/guarantees.md.
  it('stops what is under way when it is over, not later, and spends no attempt on it', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    let stoppedAtMs = 0
    worker.transport.send = (_upload, _bytes, _held, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          stoppedAtMs = world.clock.now()
          reject(new HoldfastError('aborted', 'Stopped.'))
        })
      })
    const startMs = world.clock.now()
    const drain = createDrain(worker)
    void drain.join('push')
    await world.clock.advance(7_000)
    drain.notify()
    await world.clock.advance(100_000)
    expect(stoppedAtMs - startMs).toBe(BUDGETS_MS.push)
    const [chunk] = await world.chunks(id)
    expect(chunk).toMatchObject({ retryCount: 0, state: { status: 'uploading' }, effort: { sent: true } })
  })

  // Promise 5 of docs/guarantees.md.
  it('frees the lanes of what does not heed its end', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 10 })
    const hung = new Set<string>((await world.chunks(id)).map(cidOf))
    const worker = world.worker()
    const { send, probe } = worker.transport
    const hang = () => new Promise<never>(() => {})
    worker.transport.send = (upload, ...rest) => (hung.has(upload.cid) ? hang() : send(upload, ...rest))
    worker.transport.probe = (upload, attempt) => (hung.has(upload.cid) ? hang() : probe(upload, attempt))
    const drain = createDrain(worker)
    void drain.join('push')
    await world.clock.advance(BUDGETS_MS.push + 1_000)
    for (const chunk of await world.chunks(id)) expect(chunk.effort).toMatchObject({ failures: 0 })
    hung.clear()
    void drain.join('push')
    await world.clock.advance(20_000)
    expect(await world.statuses(id)).toEqual(Array(10).fill('confirmed'))
  })

  // Promise 9 of docs/guarantees.md.
  it('starts nothing new near its end', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 30 })
    world.server.latencyMs = 9_000
    const startMs = world.clock.now()
    expect(await drainOnce(world, world.worker(), 'push')).toBe('work-remains')
    expect(world.clock.now() - startMs).toBeLessThan(BUDGETS_MS.push)
    expect(world.server.ledger.at(-1)?.atMs).toBeLessThan(startMs + BUDGETS_MS.push)
  })

  it('is that of the wake, not what is left of an earlier one', async () => {
    const world = createWorld()
    const worker = world.worker()
    const drain = createDrain(worker)
    await world.clock.runUntil(drain.join('message'))
    await recordSession(world)
    world.server.fault = () => ({ code: 'unreachable' })
    const startMs = world.clock.now()
    const joined = drain.join('push')
    await world.clock.runUntil(joined)
    await world.clock.advance(30_000)
    expect(world.server.ledger.at(-1)?.atMs).toBeLessThanOrEqual(startMs + BUDGETS_MS.push)
  })

  // Promise 9 of docs/guarantees.md.
  it('grows when a wake joins that may run longer', async () => {
    const world = createWorld()
    await recordSession(world)
    world.server.fault = () => ({ code: 'unreachable' })
    const drain = createDrain(world.worker())
    const startMs = world.clock.now()
    const push = drain.join('push')
    await world.clock.advance(1_000)
    const message = drain.join('message')
    await world.clock.runUntil(push)
    expect(world.clock.now() - startMs).toBeLessThanOrEqual(BUDGETS_MS.push)
    await world.clock.runUntil(message)
    expect(world.server.ledger.at(-1)?.atMs).toBeGreaterThan(startMs + 200_000)
  })
})
