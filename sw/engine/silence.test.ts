import { describe, expect, it } from 'vitest'
import { OwnError } from '../ports/own-error.ts'
import { cidOf, createWorld, recordSession, sessionIdOf, type World } from '../testing/world.ts'
import { createDrain, type Drain } from './drain.ts'
import { resumeSession } from './sessions.ts'

// Promise 5 of docs/guarantees.md: whatever stands is told within two minutes, and holds up no other.

const id = sessionIdOf(1)
const never = () => new Promise<never>(() => {})
const pause = (world: World, ms: number) => world.clock.sleep(ms, new AbortController().signal)

/** A page greets this worker, or its drain, every 20 s, so long. */
async function greeted(world: World, by: ReturnType<World['worker']> | Drain, ms: number) {
  const drain = 'join' in by ? by : createDrain(by)
  for (let at = 0; at < ms; at += 20_000) {
    void drain.join('message').catch(() => undefined)
    await world.clock.advance(20_000)
  }
}

/** So many sessions of a chunk, and whether an address is one of a chunk. */
async function sessions(world: World, count: number) {
  const cids = new Set<string>()
  for (let number = 1; number <= count; number++) {
    await recordSession(world, { number })
    for (const chunk of await world.chunks(sessionIdOf(number))) cids.add(cidOf(chunk))
  }
  return (cid: string) => cids.has(cid)
}

const troubles = (world: World, count: number) =>
  Promise.all(
    Array.from({ length: count }, async (_none, at) => (await world.session(sessionIdOf(at + 1))).trouble),
  )

describe('of a store that never answers', () => {
  it.each(['chunks', 'pages'])('to %s each of 8 sessions that need it is told', async (what) => {
    const world = createWorld()
    const isChunk = await sessions(world, 8)
    const worker = world.worker()
    const { send } = worker.transport
    worker.transport.send = (upload, ...rest) =>
      isChunk(upload.cid) === (what === 'chunks') ? never() : send(upload, ...rest)
    await greeted(world, worker, 120_000)
    for (const trouble of await troubles(world, 8))
      expect(trouble).toMatchObject({ error: { code: 'timeout' } })
  })

  it('to the pages of three sessions those of others go on, and are told of nothing after that', async () => {
    const world = createWorld()
    const isChunk = await sessions(world, 6)
    const worker = world.worker()
    const { send } = worker.transport
    let pages = 0
    worker.transport.send = (upload, ...rest) =>
      !isChunk(upload.cid) && pages++ < 3 ? never() : send(upload, ...rest)
    const drain = createDrain(worker)
    await greeted(world, drain, 140_000)
    const open = async (number: number) => !!(await world.session(sessionIdOf(number))).open
    const isOpen = await Promise.all([1, 2, 3, 4, 5, 6].map(open))
    expect(isOpen.filter(Boolean)).toHaveLength(3)
    await recordSession(world, { number: 7, chunks: 4 })
    await greeted(world, drain, 40_000)
    expect(await world.statuses(sessionIdOf(7))).toEqual(Array(4).fill('confirmed'))
    const lines = await world.disk.read((tx) => tx.log(Infinity))
    expect(lines.filter(({ sessionId, error }) => error && sessionId === sessionIdOf(7))).toEqual([])
  })

  it('to one chunk is told on, though the other one of its session goes well after that', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    const [first, second] = (await world.chunks(id)).map(cidOf)
    const worker = world.worker()
    const { send } = worker.transport
    worker.transport.send = async (upload, ...rest) => {
      if (upload.cid === first) return never()
      if (upload.cid === second) await pause(world, 130_000)
      return send(upload, ...rest)
    }
    const told: (string | undefined)[] = []
    const watch = async () => {
      for (let at = 0; at < 26; at++) {
        await pause(world, 10_000)
        told.push((await world.session(id)).trouble?.error.code)
      }
    }
    void watch()
    await greeted(world, worker, 280_000)
    expect((await world.chunks(id))[1]?.state.status).not.toBe('uploading')
    expect(told.slice(11)).not.toContain(undefined)
  })

  it('is told though the database fails at that moment', async () => {
    const world = createWorld()
    await recordSession(world)
    const { store, ...worker } = world.worker()
    worker.transport.send = never
    const fromMs = world.clock.now() + 99_000
    const write: typeof store.write = (...args) =>
      world.clock.now() > fromMs && world.clock.now() < fromMs + 10_000
        ? Promise.reject(new OwnError('storage-failed', 'It fails.'))
        : store.write(...args)
    await greeted(world, { ...worker, store: { ...store, write } }, 140_000)
    expect((await world.session(id)).trouble).toMatchObject({ error: { code: 'timeout' } })
  })
})

// One that waited behind the look of another would have its own 100 s after that.
it('of a chain that failed once, and never answers after that, each of 4 sessions that need it is told', async () => {
  const world = createWorld()
  const worker = world.worker()
  let reads = 0
  worker.anchor.read = async () => {
    if (reads++ > 0) return never()
    for (let number = 2; number <= 4; number++) await recordSession(world, { number })
    throw new OwnError('unreachable', 'It is away.')
  }
  await recordSession(world)
  await greeted(world, worker, 120_000)
  const codes = (await troubles(world, 4)).map((trouble) => trouble?.error.code)
  expect(codes).toEqual(['unreachable', 'timeout', 'timeout', 'timeout'])
})

it('of a chain that never answers is told though a person resumes meanwhile', async () => {
  const world = createWorld()
  await recordSession(world)
  const worker = world.worker()
  worker.anchor.read = never
  const drain = createDrain(worker)
  await greeted(world, drain, 20_000)
  await resumeSession(worker, id)
  await greeted(world, drain, 100_000)
  expect((await world.session(id)).trouble).toMatchObject({ error: { code: 'timeout' } })
})
