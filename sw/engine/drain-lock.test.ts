import { expect, test } from 'vitest'
import { createWorld, recordSession, sessionIdOf } from '../testing/world.ts'
import { createDrain, DRAIN_LOCK, type WakeKind } from './drain.ts'
import { createEngine } from './engine.ts'

// Promise 5 of docs/guarantees.md: the lock is for progress alone, the transaction is the fence.

const id = sessionIdOf(1)
const confirmed = ['confirmed', 'confirmed', 'confirmed']

test.each(['push', 'message'] as WakeKind[])(
  'a lock that somebody keeps for ever is taken by a %s wake',
  async (kind) => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    world.locks.hold(DRAIN_LOCK)
    void createDrain(world.worker()).join(kind)
    await world.clock.advance(75_000)
    expect(await world.statuses(id)).toEqual(confirmed)
  },
)

test('a worker opens its database while it asks for its lock, once it may touch it', async () => {
  const world = createWorld()
  world.locks.hold(DRAIN_LOCK)
  const worker = world.worker()
  const { read } = worker.store
  let reads = 0
  worker.store.read = (work) => (reads++, read(work))
  let activate = () => {}
  void createEngine(worker, new Promise<void>((resolve) => (activate = resolve))).start()
  await world.clock.advance(1_000)
  expect(reads).toBe(0)
  activate()
  await world.clock.advance(1_000)
  expect(reads).toBe(1)
})

test.each(['silent', 'refuses'] as const)(
  'without Web Locks (%s) a drain goes on all the same',
  async (how) => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    world.locks.broken = how
    const drain = createDrain(world.worker())
    void drain.join('push')
    await world.clock.advance(75_000)
    expect(await world.statuses(id)).toEqual(confirmed)
    await recordSession(world, { number: 2, chunks: 3 })
    void drain.join('push')
    await world.clock.advance(75_000)
    expect(await world.statuses(sessionIdOf(2))).toEqual(confirmed)
  },
)

test('a worker that hangs in its drain holds up another one for a minute, and a drain that works stops then', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 6 })
  const hanging = world.worker()
  let aborted = 0
  hanging.transport.send = (_upload, _bytes, _held, { signal }) =>
    new Promise(() => signal.addEventListener('abort', () => aborted++))
  const robbed = createDrain(hanging)
    .join('message')
    .catch((error: unknown) => error)
  await world.clock.advance(1_000)
  void createDrain(world.worker()).join('message')
  await world.clock.advance(50_000)
  expect(aborted).toBe(0)
  await world.clock.advance(20_000)
  expect(await robbed).toMatchObject({ name: 'AbortError' })
  // Three chunks and the page.
  expect(aborted).toBe(4)
  expect(await world.statuses(id)).toEqual(Array(6).fill('confirmed'))
  const looks = world.server.ledger.length
  await world.clock.advance(600_000)
  expect(world.server.ledger.length).toBe(looks)
})

test('a worker that has taken the lock stops when it is taken from it in turn: nothing is sent by two', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 6 })
  world.locks.hold(DRAIN_LOCK)
  const slow = world.worker()
  let aborted = 0
  slow.transport.send = (_upload, _bytes, _held, { signal }) =>
    new Promise(() => signal.addEventListener('abort', () => aborted++))
  void createDrain(slow).join('message')
  await world.clock.advance(70_000)
  void createDrain(world.worker()).join('message')
  await world.clock.advance(70_000)
  // Three chunks and the page.
  expect(aborted).toBe(4)
  expect(await world.statuses(id)).toEqual(Array(6).fill('confirmed'))
})
