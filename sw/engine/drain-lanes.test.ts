import { describe, expect, it } from 'vitest'
import { createDrain } from './drain.ts'
import { cidOf, createWorld, drainOnce, recordSession, sessionIdOf, type World } from '../testing/world.ts'

/** Whether this is a chunk's address: a page of the log goes beside the lanes. */
async function chunkAddresses(world: World) {
  const chunks = await Promise.all([1, 2].map((number) => world.chunks(sessionIdOf(number))))
  const cids = new Set<string>(chunks.flat().map(cidOf))
  return (cid: string) => cids.has(cid)
}

describe('a drain', () => {
  /** How many uploads were under way at once: in the first seconds, and at most. */
  async function lanesOf(world: World, worker: ReturnType<World['worker']>) {
    const startMs = world.clock.now()
    let now = 0
    const seen = { first: 0, most: 0 }
    const isChunk = await chunkAddresses(world)
    const { send } = worker.transport
    worker.transport.send = async (...args) => {
      if (!isChunk(args[0].cid)) return send(...args)
      seen.most = Math.max(seen.most, ++now)
      if (world.clock.now() - startMs < 2_000) seen.first = seen.most
      return send(...args).finally(() => now--)
    }
    await drainOnce(world, worker)
    return seen
  }

  // Promise 9 of docs/guarantees.md.
  it('takes three lanes at first, and five at most where each brings more', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 80 })
    world.server.latencyMs = 1_000
    expect(await lanesOf(world, world.worker())).toEqual({ first: 3, most: 5 })
    await recordSession(world, { number: 2, chunks: 6 })
    expect(await lanesOf(world, world.worker()), 'a new worker').toEqual({ first: 3, most: 3 })
  })

  // Promise 9 of docs/guarantees.md.
  it('takes no more lanes where another one brings nothing', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 80 })
    const worker = world.worker()
    const { send } = worker.transport
    let last = Promise.resolve()
    const isChunk = await chunkAddresses(world)
    // A link that carries one chunk after the other.
    worker.transport.send = async (upload, bytes, held, attempt) => {
      if (!isChunk(upload.cid)) return send(upload, bytes, held, attempt)
      last = last.then(() => world.clock.sleep(500, attempt.signal))
      await last
      return send(upload, bytes, held, attempt)
    }
    expect((await lanesOf(world, worker)).most).toBe(4)
  })

  // Promise 9 of docs/guarantees.md.
  it('takes fewer lanes after a loss', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 16 })
    world.server.latencyMs = 1_000
    let lost = false
    world.server.fault = () => (lost ? undefined : ((lost = true), { code: 'timeout' }))
    const most: number[] = []
    const worker = world.worker()
    const isChunk = await chunkAddresses(world)
    const { send } = worker.transport
    let now = 0
    worker.transport.send = async (...args) => {
      if (!isChunk(args[0].cid)) return send(...args)
      most.push(++now)
      return send(...args).finally(() => now--)
    }
    await drainOnce(world, worker)
    expect(Math.max(...most.slice(0, 3))).toBe(3)
    expect(Math.max(...most.slice(3, 16))).toBe(2)
  })
})

// Promise 5 of docs/guarantees.md.
describe('uploads of which nothing is heard', () => {
  const [old, recent] = [sessionIdOf(1), sessionIdOf(2)]

  /** A device with a long backlog, each upload of which hangs in a transport of the app’s own, while pages are taken. */
  async function hanging() {
    const world = createWorld()
    await recordSession(world, { number: 1, chunks: 40, startedAtMs: 1_000 })
    const hung = new Set<string>((await world.chunks(old)).map(cidOf))
    const worker = world.worker()
    const { send, probe } = worker.transport
    let now = 0
    const seen = { most: 0 }
    const hang = () => {
      seen.most = Math.max(seen.most, ++now)
      return new Promise<never>(() => {})
    }
    worker.transport.send = (upload, ...rest) => (hung.has(upload.cid) ? hang() : send(upload, ...rest))
    worker.transport.probe = (upload, attempt) => (hung.has(upload.cid) ? hang() : probe(upload, attempt))
    const drain = createDrain(worker)
    /** A page greets all the while. */
    const greet = async (ms: number) => {
      for (let at = 0; at < ms; at += 20_000) {
        void drain.join('message')
        await world.clock.advance(20_000)
      }
    }
    const record = () => recordSession(world, { number: 2, chunks: 3, startedAtMs: 2_000 })
    return { world, greet, record, seen }
  }

  it.each([0, 60_000])('hold up no other session for two minutes, begun %i ms later', async (laterMs) => {
    const { world, greet, record } = await hanging()
    await greet(laterMs)
    await record()
    await greet(120_000)
    expect(await world.statuses(recent)).toEqual(Array(3).fill('confirmed'))
    expect(await world.session(old)).toMatchObject({ trouble: { error: { code: 'timeout' } } })
  })

  it('nor one that begins while their store is on trial, for they were given up', async () => {
    const { world, greet, record } = await hanging()
    await greet(300_000)
    await record()
    await greet(120_000)
    expect(await world.statuses(recent)).toEqual(Array(3).fill('confirmed'))
  })

  it('are no more than the lanes where no other session waits: the link may be slow', async () => {
    const { greet, seen } = await hanging()
    await greet(260_000)
    expect(seen.most).toBe(3)
  })
})
