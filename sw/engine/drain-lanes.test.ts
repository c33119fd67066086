import { describe, expect, it } from 'vitest'
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
