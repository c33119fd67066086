import { describe, expect, it, test } from 'vitest'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import { createWorld, drainOnce, recordSession, sessionIdOf, type World } from '../testing/world.ts'
import { reply } from './requests.ts'

// Promises 5, 6 of docs/guarantees.md: a device that nobody touches any more gets out of it by itself.

const id = sessionIdOf(1)
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

type Worker = ReturnType<World['worker']>

/** Wakes with no page, one after the other, until so much time has passed. */
async function wakeFor(world: World, ms: number, worker: () => Worker = () => world.worker()) {
  const untilMs = world.clock.now() + ms
  while (world.clock.now() < untilMs) {
    if ((await drainOnce(world, worker(), 'sync')) === 'idle') return
    await world.clock.advance(5 * MINUTE_MS)
  }
}

test('a store that refused everything for a minute gets all of it, with no visit', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 20 })
  const beganMs = world.clock.now()
  world.server.fault = () =>
    world.clock.now() - beganMs < MINUTE_MS ? { code: 'rejected-by-store' } : undefined
  await wakeFor(world, HOUR_MS)
  expect(await world.statuses(id)).toEqual(Array(20).fill('confirmed'))
  // One chunk, and the page, were tried for all of them.
  expect(world.server.ledger.filter(({ op }) => op === 'send').length).toBeLessThanOrEqual(21 + 21 + 3)
})

test('a store that takes chunks for other ones gets a few copies, not one a minute, and all of it once it is well', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 20 })
  const beganMs = world.clock.now()
  world.server.fault = (op) =>
    op === 'send' && world.clock.now() - beganMs < 2 * HOUR_MS ? { code: 'address-mismatch' } : undefined
  await wakeFor(world, 2 * HOUR_MS)
  // Each chunk and the page, then one chunk and the page at each trial.
  expect(world.server.ledger.filter(({ op }) => op === 'send').length).toBeLessThanOrEqual(21 * 6 + 2 * 10)
  expect(await world.session(id)).toMatchObject({ trouble: { error: { code: 'address-mismatch' } } })
  await wakeFor(world, 4 * HOUR_MS)
  expect(await world.statuses(id)).toEqual(Array(20).fill('confirmed'))
})

test('a store that refuses everything for a day is asked a few times, not once for each chunk', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 20 })
  world.server.fault = () => ({ code: 'rejected-by-store' })
  await wakeFor(world, DAY_MS)
  // Each chunk and the page, then one chunk and the page at each trial.
  expect(world.server.ledger.length).toBeLessThanOrEqual(21 + 2 * 17)
  expect(await world.session(id)).toMatchObject({
    trouble: { error: { code: 'rejected-by-store' } },
    trials: { refusal: { retryAtMs: expect.any(Number) } },
  })
})

test('a visit is a trial; a page that stays open is none', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 1 })
  world.server.fault = () => ({ code: 'rejected-by-store' })
  await wakeFor(world, 3 * HOUR_MS)
  const before = world.server.ledger.length
  const hello = (again: boolean) =>
    reply(world.worker(), { holdfast: PROTOCOL_VERSION, type: 'hello', again })
  await hello(true)
  await drainOnce(world, world.worker(), 'push')
  expect(world.server.ledger.length).toBe(before)
  await hello(false)
  await drainOnce(world, world.worker(), 'push')
  // The chunk, and the page that lists it.
  expect(world.server.ledger.length).toBe(before + 2)
})

test('while bytes cost money nothing that was refused is sent again to see', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 2 })
  world.server.fault = () => ({ code: 'rejected-by-store' })
  await drainOnce(world, world.worker(), 'push')
  const before = world.server.ledger.length
  world.network.metered = true
  await wakeFor(world, 3 * HOUR_MS)
  expect(world.server.ledger.length).toBe(before)
  world.network.metered = false
  world.server.fault = () => undefined
  await wakeFor(world, 12 * HOUR_MS)
  expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
})

test('bytes that could not be read for a while go up once they can', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 3 })
  const [bad] = await world.chunks(id)
  const untilMs = world.clock.now() + HOUR_MS
  const worker = () => {
    const plain = world.worker()
    const payload: typeof plain.store.payload = async (of) => {
      if (of === bad?.id && world.clock.now() < untilMs)
        throw new HoldfastError('payload-unreadable', 'The bytes cannot be read.')
      return plain.store.payload(of)
    }
    return { ...plain, store: { ...plain.store, payload } }
  }
  await wakeFor(world, DAY_MS, worker)
  expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed', 'confirmed'])
})

test('while a server asks for ten minutes, requests that go well do not open the way to it', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 60 })
  world.server.latencyMs = 1_000
  const worker = world.worker()
  const { send } = worker.transport
  const sentAtMs: number[] = []
  const beganMs = world.clock.now()
  worker.transport.send = async (...args) => {
    sentAtMs.push(world.clock.now() - beganMs)
    if (sentAtMs.length % 2 === 1)
      throw new HoldfastError('throttled', 'Later.', { retryAfterMs: 10 * MINUTE_MS })
    return send(...args)
  }
  await drainOnce(world, worker)
  // Those that were under way when it asked: three chunks and a page.
  expect(sentAtMs.filter((ms) => ms < 10 * MINUTE_MS).length).toBeLessThanOrEqual(4)
  // Nor does another worker, at a visit.
  await reply(world.worker(), { holdfast: PROTOCOL_VERSION, type: 'hello' })
  const before = world.server.ledger.length
  await drainOnce(world, world.worker(), 'push')
  expect(world.server.ledger.length).toBe(before)
})

describe.each([1, 365])('a clock that is %i days off', (days) => {
  it.each([
    ['ahead, then right', days],
    ['behind, then right', -days],
  ])('%s, costs no more than a wait', async (_what, off) => {
    const world = createWorld()
    await recordSession(world, { chunks: 4 })
    let shiftMs = off * DAY_MS
    const worker = () => {
      const plain = world.worker()
      return { ...plain, clock: { ...plain.clock, now: () => world.clock.now() + shiftMs } }
    }
    // Times of every kind are stored: a wait, a circuit, a trial, a publication.
    const codes = ['server-error', 'sign-in-needed', 'rejected-by-store'] as const
    let asked = 0
    world.server.fault = () => {
      const code = codes[asked++ % codes.length]
      return code && { code }
    }
    await drainOnce(world, worker(), 'push')
    shiftMs = 0
    world.server.fault = () => undefined
    await wakeFor(world, 8 * HOUR_MS, worker)
    expect(await world.statuses(id)).toEqual(Array(4).fill('confirmed'))
  })

  it('ahead, with a head under way, anchors it all the same', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    let shiftMs = days * DAY_MS
    const worker = () => {
      const plain = world.worker()
      return { ...plain, clock: { ...plain.clock, now: () => world.clock.now() + shiftMs } }
    }
    world.chain.fault = (op) => (op === 'submit' ? { code: 'server-error' } : undefined)
    await drainOnce(world, worker(), 'push')
    expect((await world.session(id)).witnessing.submittedAtMs).toBeGreaterThan(world.clock.now())
    shiftMs = 0
    world.chain.fault = () => undefined
    await wakeFor(world, HOUR_MS, worker)
    expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
  })
})
