import { describe, expect, it } from 'vitest'
import type { ChunkId } from '../../src/protocol/ids.ts'
import type { LogEntry } from '../core/record.ts'
import { cidOf, createWorld, drainOnce, recordSession, sessionIdOf, type World } from '../testing/world.ts'

const id = sessionIdOf(1)

/** Pages have no index. */
const isUpload = ({ event, index }: LogEntry) => event === 'send-began' && index !== undefined

describe('a drain', () => {
  it('takes the oldest session first, and its chunks in order', async () => {
    const world = createWorld()
    await recordSession(world, { number: 2, chunks: 3, startedAtMs: 2_000 })
    await recordSession(world, { number: 1, chunks: 3, startedAtMs: 1_000 })
    world.server.latencyMs = 1_000
    world.server.fault = () => ({ code: 'throttled', retryAfterMs: 3_600_000 })
    const worker = world.worker()
    const { payload } = worker.store
    // Whose bytes are hashed first has the first lane: what is taken first is what is read first.
    const read: string[] = []
    const counted = (of: ChunkId) => {
      read.push(of)
      return payload(of)
    }
    await drainOnce(world, { ...worker, store: { ...worker.store, payload: counted } }, 'push')
    expect(read.slice(0, 3)).toEqual((await world.chunks(id)).map((chunk) => chunk.id))
  })

  /** In which order the uploads of these sessions began, as letters. */
  async function orderOf(world: World) {
    const worker = world.worker()
    await drainOnce(world, worker)
    const begun = (await world.disk.read((tx) => tx.log(10_000))).filter(isUpload)
    return begun.toReversed().map(({ sessionId }) => 'ABC'.charAt(Number(sessionId.slice(-2)) - 1))
  }

  describe.each([1_000, 0])('with a latency of %d ms', (latencyMs) => {
    // Promise 5 of docs/guarantees.md.
    it('lets sessions of unequal size all get on, and still ends the oldest first', async () => {
      const world = createWorld()
      world.server.latencyMs = latencyMs
      for (const [at, chunks] of [60, 40, 50].entries())
        await recordSession(world, { number: at + 1, chunks, startedAtMs: (at + 1) * 1_000 })
      const order = await orderOf(world)
      expect(order).toHaveLength(150)
      for (let from = 0; from + 16 < order.lastIndexOf('A'); from += 16)
        expect(new Set(order.slice(from, from + 16)), `from ${from}`).toEqual(new Set(['A', 'B', 'C']))
      expect(order.slice(0, 60).filter((letter) => letter === 'A').length).toBeGreaterThan(40)
      expect(order.lastIndexOf('A')).toBeLessThan(order.lastIndexOf('B'))
      expect(order.lastIndexOf('A')).toBeLessThan(order.lastIndexOf('C'))
    })
  })

  // Promise 5 of docs/guarantees.md.
  it('tries what has failed again before a long backlog is through', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 60 })
    world.server.latencyMs = 1_000
    const [cid, ...others] = (await world.chunks(id)).map(cidOf)
    let failed = false
    world.server.fault = (_op, of) =>
      of === cid && !failed ? ((failed = true), { code: 'bad-answer' }) : undefined
    await drainOnce(world, world.worker())
    const { ledger } = world.server
    const again = ledger.findLastIndex((line) => line.of === cid)
    expect(ledger[again]?.taken).toBe(true)
    // Those that were ready go first; many others have not been sent by then.
    const sent = new Set(ledger.slice(0, again).map((line) => line.of))
    expect(others.filter((other) => !sent.has(other)).length).toBeGreaterThan(5)
  })

  // Promise 5 of docs/guarantees.md.
  it('on a link that is known to be slow lets a recording that begins wait for few of a backlog', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 60, startedAtMs: 1_000 })
    world.server.latencyMs = 10_000
    const worker = world.worker()
    const { send } = worker.transport
    let uploads = 0
    let begunAt = 0
    worker.transport.send = async (...args) => {
      if (args[0].cid === (await newcomer())) begunAt ||= uploads
      else if (++uploads === 30) await recordSession(world, { number: 2, chunks: 1, startedAtMs: 2_000 })
      return send(...args)
    }
    const newcomer = async () => (await world.chunks(sessionIdOf(2))).map(cidOf)[0]
    await drainOnce(world, worker)
    expect(begunAt).toBeGreaterThan(30)
    expect(begunAt).toBeLessThan(30 + 8)
  })
})
