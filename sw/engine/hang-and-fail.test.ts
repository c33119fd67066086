import { describe, expect, it, vi } from 'vitest'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { OwnError } from '../ports/own-error.ts'
import { loseSessionRecord } from '../testing/lose.ts'
import { cidOf, createWorld, drainOnce, recordSession, sessionIdOf, type World } from '../testing/world.ts'
import type { Context } from './context.ts'
import { createDrain } from './drain.ts'
import { pauseSession, resumeSession } from './sessions.ts'

// Promises 1, 5 of docs/guarantees.md: what hangs is told, and stands in nobody's way, though the database fails meanwhile.

const id = sessionIdOf(1)
const other = sessionIdOf(2)
const never = () => new Promise<never>(() => {})
const fails = () => Promise.reject(new OwnError('storage-failed', 'It fails.'))

/** A page greets a drain every 20 s, so long. */
async function greeted(world: World, drain: ReturnType<typeof createDrain>, ms: number) {
  for (let at = 0; at < ms; at += 20_000) {
    void drain.join('message').catch(() => undefined)
    await world.clock.advance(20_000)
  }
}

/** The worker, whose writes fail while this says so. */
function failing(worker: Context, isFailing: () => boolean): Context {
  const { store } = worker
  const write: typeof store.write = (...args) => (isFailing() ? fails() : store.write(...args))
  return { ...worker, store: { ...store, write } }
}

it('how a sealer hung is told though the database failed over that', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 1, seal: 'worker' })
  const hungMs = world.clock.now() + 105_000
  let failures = 0
  const worker = failing(world.worker(), () => world.clock.now() >= hungMs && failures++ < 1)
  await greeted(world, createDrain({ ...worker, sealer: never }), 120_000)
  expect(failures).toBeGreaterThan(1)
  expect((await world.session(id)).trouble).toMatchObject({ error: { code: 'defect' } })
})

it.each([
  ['a sealer', 'defect'],
  ['onSettled', 'completion-failed'],
])('how %s hung is told though a person asked for another try meanwhile', async (what, code) => {
  const world = createWorld()
  const isSealer = what === 'a sealer'
  const worker = { ...world.worker(), ...(isSealer ? { sealer: never } : { onSettled: never }) }
  await recordSession(world, { chunks: 1, seal: isSealer ? 'worker' : 'page', worker })
  const drain = createDrain(worker)
  await greeted(world, drain, 20_000)
  await resumeSession(worker, id)
  await greeted(world, drain, 100_000)
  expect((await world.session(id)).trouble).toMatchObject({ error: { code } })
})

it.each(['a look at the chain', 'onSettled'])(
  'how %s hung is told though the database failed over that',
  async (what) => {
    const world = createWorld()
    const { anchor, ...rest } = world.worker()
    const hangs = { anchor: { ...anchor, read: never }, onSettled: async () => {} }
    const hooked = { ...rest, ...(what === 'onSettled' ? { anchor, onSettled: never } : hangs) }
    await recordSession(world, { worker: hooked })
    let failures = 0
    // The first write after what hung was given up.
    const hungMs = world.clock.now() + 100_000
    const worker = failing(hooked, () => world.clock.now() >= hungMs && failures++ < 1)
    await greeted(world, createDrain(worker), 120_000)
    expect(failures).toBeGreaterThan(1)
    expect((await world.session(id)).trouble).toBeDefined()
  },
)

it('a look that fails once stops nothing', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 6 })
  world.server.latencyMs = 4_000
  const { store, ...worker } = world.worker()
  let failures = 0
  const failsAtMs = world.clock.now() + 1_000
  const read: typeof store.read = async (work) => {
    let isLook = false
    const found = await store.read(async (tx) => {
      const asked = vi.spyOn(tx, 'openSessions')
      const result = await work(tx)
      isLook = asked.mock.calls.length > 0
      return result
    })
    return isLook && failures === 0 && world.clock.now() >= failsAtMs ? (failures++, fails()) : found
  }
  await greeted(world, createDrain({ ...worker, store: { ...store, read } }), 40_000)
  expect(failures).toBe(1)
  expect(await world.statuses(id)).toEqual(Array(6).fill('confirmed'))
  expect(world.server.ledger.filter(({ op }) => op === 'probe')).toEqual([])
})

it('a lost session that cannot be set apart at once stops nothing that hangs, and is told too', async () => {
  const world = createWorld()
  await recordSession(world)
  await recordSession(world, { number: 2 })
  let isLost = false
  let failures = 0
  const { anchor, ...rest } = failing(world.worker(), () => isLost && failures++ < 1)
  const drain = createDrain({ ...rest, anchor: { ...anchor!, read: never } })
  await greeted(world, drain, 20_000)
  await loseSessionRecord(world, other)
  isLost = true
  await greeted(world, drain, 100_000)
  expect(failures).toBeGreaterThan(1)
  expect((await world.session(id)).trouble).toMatchObject({ error: { code: 'timeout' } })
  await greeted(world, drain, 20_000)
  expect(await world.session(other)).toMatchObject({ damaged: true })
})

it.each([
  ['a younger one', 1],
  ['one of the same millisecond', 0],
])(
  'a sealer that hangs over as many sessions as it has places holds %s up no longer',
  async (_which, apartMs) => {
    const world = createWorld()
    for (const number of [1, 2, 3, 4])
      await recordSession(world, { number, chunks: 3, seal: 'worker', startedAtMs: number * apartMs })
    const { sealer, ...worker } = world.worker()
    const healthy = sessionIdOf(4)
    const seal: typeof sealer = (context, chunk) =>
      chunk.sessionId === healthy ? sealer!(context, chunk) : never()
    await greeted(world, createDrain({ ...worker, sealer: seal }), 120_000)
    expect(await world.statuses(healthy)).toEqual(Array(3).fill('confirmed'))
  },
)

it('a look that fails while a sealer hangs holds up no other session', async () => {
  const world = createWorld()
  await recordSession(world, { seal: 'worker' })
  const { store, ...worker } = world.worker()
  const failsAtMs = world.clock.now() + 12_000
  let failures = 0
  const read: typeof store.read = (work) =>
    failures > 1 || world.clock.now() < failsAtMs ? store.read(work) : (failures++, fails())
  const drain = createDrain({ ...worker, sealer: never, store: { ...store, read } })
  await greeted(world, drain, 20_000)
  expect(failures).toBe(2)
  await recordSession(world, { number: 2, chunks: 4 })
  await greeted(world, drain, 40_000)
  expect(await world.statuses(other)).toEqual(Array(4).fill('confirmed'))
})

describe('a failure that was written down, though the database said that it was not, is one failure', () => {
  const efforts: Record<string, (world: World) => Promise<number | undefined>> = {
    'a chunk': async (world) => (await world.chunks(id))[0]?.effort?.failures,
    'making a page': async (world) => (await world.session(id)).paging?.failures,
    'a page': async (world) => (await world.session(id)).listing?.failures,
    'a head': async (world) => (await world.session(id)).witnessing.failures,
    onSettled: async (world) => (await world.session(id)).completion?.failures,
  }
  it.each(Object.keys(efforts))('of %s', async (what) => {
    const world = createWorld()
    let tries = 0
    const failing = (): { code: 'server-error' } => (tries++, { code: 'server-error' })
    const onSettled = async () => {
      if (what === 'onSettled') throw HoldfastError.from(failing())
    }
    await recordSession(world, { worker: { ...world.worker(), onSettled } })
    const [cid] = (await world.chunks(id)).map(cidOf)
    world.server.fault = (_op, of) => (what === (of === cid ? 'a chunk' : 'a page') ? failing() : undefined)
    world.chain.fault = () => (what === 'a head' ? failing() : undefined)
    const { store, ...worker } = world.worker()
    let lies = 0
    const write: typeof store.write = async (work, needs) => {
      const result = await store.write(work, needs)
      return (await efforts[what]!(world)) === 1 && lies++ === 0 ? fails() : result
    }
    const read: typeof store.read = (work) =>
      store.read((tx) => {
        if (what === 'making a page') tx.entries = () => (failing(), fails())
        return work(tx)
      })
    await greeted(world, createDrain({ ...worker, onSettled, store: { ...store, read, write } }), 60_000)
    expect(lies).toBeGreaterThan(0)
    expect(await efforts[what]!(world)).toBe(tries)
  })
})

it('what was written down, though the database said that it was not, is told to the pages', async () => {
  const world = createWorld()
  await recordSession(world)
  world.announced.length = 0
  const { store, ...worker } = world.worker()
  let lies = 0
  const write: typeof store.write = async (work, needs) => {
    const result = await store.write(work, needs)
    return lies++ === 0 ? fails() : result
  }
  expect(await pauseSession({ ...worker, store: { ...store, write } }, id)).toMatchObject({ paused: true })
  expect(lies).toBeGreaterThan(0)
  expect(world.announced).toContain(id)
})

it('a lost session that was set apart, though the database said that it was not, is told to the pages', async () => {
  const world = createWorld()
  await recordSession(world)
  world.server.fault = () => ({ code: 'rejected-by-store' })
  await drainOnce(world, world.worker(), 'push')
  await loseSessionRecord(world, id)
  world.announced.length = 0
  const worker = world.worker()
  const { write } = worker.store
  let lies = 0
  const isApart = () => world.disk.read(async (tx) => (await tx.session(id))?.damaged)
  worker.store.write = async (work, needs) => {
    const result = await write(work, needs)
    return (await isApart()) && lies++ === 0 ? fails() : result
  }
  await drainOnce(world, worker)
  expect(lies).toBeGreaterThan(0)
  expect(world.announced).toContain(id)
})

describe('what was written down, though the database said that it was not, counts once:', () => {
  const first = async (world: World) => (await world.session(id)).trials?.refusal?.failures ?? 0
  const second = async (world: World) => (await world.session(other)).trials?.refusal?.failures ?? 0

  it.each([
    ['a trial', first, 0],
    // What stands for it is written before.
    ['a trial that another session’s stands for', second, 1],
  ] as const)('%s', async (_what, countOf, writesBefore) => {
    const world = createWorld()
    await recordSession(world)
    await recordSession(world, { number: 2 })
    world.server.fault = () => ({ code: 'rejected-by-store' })
    const { store, ...worker } = world.worker()
    let lies = 0
    const write: typeof store.write = async (work, needs) => {
      const result = await store.write(work, needs)
      return (await countOf(world)) === 2 && lies++ === writesBefore ? fails() : result
    }
    const drain = createDrain({ ...worker, store: { ...store, write } })
    const hasLied = () => lies > writesBefore
    while (!hasLied()) await greeted(world, drain, 20_000)
    expect(await countOf(world)).toBe(2)
  })
})
