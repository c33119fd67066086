import { describe, expect, it } from 'vitest'
import { expectThrough } from '../testing/expect-through.ts'
import { BLOCK_MS } from '../testing/fake-servers.ts'
import { createWorld, drainOnce, recordSession, sessionIdOf, type World } from '../testing/world.ts'
import { createDrain } from './drain.ts'
import { POLICY } from './policy.ts'
import { resumeSession } from './sessions.ts'

// Promise 3 of docs/guarantees.md.

const id = sessionIdOf(1)
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const reads = (world: World) => world.chain.ledger.filter(({ op }) => op === 'read').length

async function settledWorld(numbers = [1], depth = 2): Promise<World> {
  const world = createWorld()
  world.chain.depth = depth
  for (const number of numbers) await recordSession(world, { chunks: 2, number })
  await drainOnce(world, world.worker())
  await expectThrough(world, id, 2)
  return world
}

/** A wake, by a worker that knows nothing of those before; the browser takes its time. */
async function wake(world: World, afterMs = 0) {
  await world.clock.advance(afterMs)
  return drainOnce(world, world.worker(), 'push')
}

/** How many blocks hold the anchor, its own included. */
async function depthOf(world: World): Promise<number> {
  const { name, anchored } = await world.session(id)
  const { blockNumber } = await world.worker().anchor.read(name, new AbortController().signal)
  return blockNumber - anchored!.blockNumber! + 1
}

describe('a settled session', () => {
  it('that a reorganisation of 1 to 64 blocks took is anchored again at the next wake, with no byte', async () => {
    for (let depth = 1; depth <= 64; depth += 1) {
      const world = await settledWorld([1], 1)
      const sent = world.server.ledger.length
      while ((await depthOf(world)) < depth) await world.clock.advance(BLOCK_MS)
      expect(await depthOf(world)).toBe(depth)
      const { anchored } = await world.session(id)
      // These blocks are others now, in which nothing is.
      world.chain.entries.length = 0
      expect(await wake(world, MINUTE_MS)).toBe('idle')
      expect(world.chain.entries.length).toBe(1)
      const again = (await world.session(id)).anchored
      expect(again).toMatchObject({ size: anchored!.size, root: anchored!.root })
      expect(again!.blockNumber).toBeGreaterThan(anchored!.blockNumber!)
      const kept = await world.worker().store.read((tx) => tx.head(id, again!.size))
      expect(kept?.anchored).toMatchObject({ blockNumber: again!.blockNumber, blockHash: again!.blockHash })
      expect(world.server.ledger.length).toBe(sent)
    }
  })

  it('is asked for the receipt that its node did not tell, until it does', async () => {
    const world = createWorld()
    world.chain.fault = (op) => (op === 'events' ? { code: 'server-error' } : undefined)
    await recordSession(world, { chunks: 2 })
    await drainOnce(world, world.worker())
    await wake(world, MINUTE_MS)
    const { anchored: before } = await world.session(id)
    expect(before?.transactionHash).toBeUndefined()
    world.chain.fault = () => undefined
    await wake(world, MINUTE_MS)
    const { anchored } = await world.session(id)
    expect(anchored).toMatchObject({ ...before, seenAtMs: anchored?.seenAtMs })
    expect(anchored?.transactionHash).toMatch(/^0x7/)
    expect(anchored?.blockHash).toMatch(/^0x0/)
    const asked = world.chain.ledger.filter(({ op }) => op === 'events').length
    await wake(world, MINUTE_MS)
    expect(world.chain.ledger.filter(({ op }) => op === 'events').length).toBe(asked)
  })

  it.each([
    ['an hour', HOUR_MS],
    ['a day', DAY_MS],
    ['a week', 7 * DAY_MS],
  ])('is looked at again at a wake %s later, and anchored again where it is gone', async (_, afterMs) => {
    const world = await settledWorld()
    const sinceMs = world.clock.now()
    const wakeAt = (ms: number) => wake(world, sinceMs + ms - world.clock.now())
    for (const ms of [HOUR_MS, DAY_MS]) if (ms < afterMs) await wakeAt(ms)
    world.chain.entries.length = 0
    await wakeAt(afterMs)
    expect(world.chain.entries.length).toBe(1)
    expect((await world.session(id)).open).toBeUndefined()
  })

  it('is asked of the chain at no wake between those, and at none after a week', async () => {
    const world = await settledWorld()
    const lookedAt: number[] = []
    for (let hour = 1; hour <= 24 * 20; hour += 1) {
      const before = reads(world)
      await wake(world, HOUR_MS)
      if (reads(world) > before) lookedAt.push(hour)
    }
    expect(lookedAt).toEqual([1, 24, 24 * 7])
    expect((await world.session(id)).anchored?.seenAtMs).toBeLessThan(world.clock.now() - 12 * DAY_MS)
  })

  it('tells when it was seen, and stays settled where the chain does not answer', async () => {
    const world = await settledWorld()
    world.chain.fault = (op) => (op === 'read' ? { code: 'unreachable' } : undefined)
    const before = await world.session(id)
    expect(await wake(world, HOUR_MS)).toBe('idle')
    expect(await world.session(id)).toEqual(before)
    world.chain.fault = () => undefined
    await wake(world, MINUTE_MS)
    expect((await world.session(id)).anchored?.seenAtMs).toBeGreaterThan(
      before.anchored!.confirmedAtMs + HOUR_MS,
    )
  })

  it('is not asked about while a node wants to be left alone, and by no more sessions once it fails', async () => {
    const world = await settledWorld([1, 2, 3])
    world.chain.fault = (op) =>
      op === 'read' ? { code: 'throttled', retryAfterMs: 30 * MINUTE_MS } : undefined
    const before = reads(world)
    await wake(world, HOUR_MS)
    expect(reads(world) - before).toBe(1)
    await wake(world, 10 * MINUTE_MS)
    expect(reads(world) - before).toBe(1)
    world.chain.fault = () => undefined
    await wake(world, 30 * MINUTE_MS)
    expect(reads(world) - before).toBe(4)
  })

  it('holds up no other: while the chain hangs, a recording goes up', async () => {
    const world = await settledWorld()
    await world.clock.advance(HOUR_MS)
    const worker = world.worker()
    const { anchor } = worker
    const settled = (await world.session(id)).name
    const hangs = {
      ...anchor,
      read: (name: never, signal: AbortSignal) =>
        name === settled ? new Promise<never>(() => undefined) : anchor.read(name, signal),
    }
    await recordSession(world, { chunks: 2, number: 2 })
    const drain = createDrain({ ...worker, anchor: hangs as typeof anchor }).join('message')
    await world.clock.advance(MINUTE_MS)
    await expectThrough(world, sessionIdOf(2), 2)
    await world.clock.runUntil(drain)
    expect((await world.session(id)).open).toBeUndefined()
  })

  it('is taken for gone by no node that is behind the block of its anchor', async () => {
    const world = await settledWorld()
    await world.clock.advance(HOUR_MS)
    const worker = world.worker()
    const behind = async () => ({ blockNumber: (await world.session(id)).anchored!.blockNumber! - 1 })
    const before = await world.session(id)
    await drainOnce(world, { ...worker, anchor: { ...worker.anchor, read: behind } })
    expect(await world.session(id)).toEqual({ ...before, changedAtMs: world.clock.now() })
  })

  it('of which a thief’s head has taken the place is told as forked', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 1, ending: 'interrupted' })
    await drainOnce(world, world.worker())
    const [entry] = world.chain.entries
    const { head } = entry!.request
    const thief = { ...head, size: head.size + 1, root: '2'.repeat(64) as typeof head.root }
    world.chain.entries.push({ block: entry!.block + 1, request: { ...entry!.request, head: thief } })
    await wake(world, HOUR_MS)
    expect((await world.session(id)).trouble?.error.code).toBe('forked')
  })

  it('leaves the device in peace while uploads are suspended', async () => {
    const world = await settledWorld()
    await world.disk.write((tx) => tx.putMeta(POLICY, 'paused'))
    const before = reads(world)
    await wake(world, HOUR_MS)
    expect(reads(world)).toBe(before)
    await world.disk.write((tx) => tx.putMeta(POLICY, 'always'))
    await resumeSession(world.worker(), id)
    await wake(world, MINUTE_MS)
    expect(reads(world)).toBe(before + 1)
  })
})
