import { expect, it } from 'vitest'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { ChunkId } from '../../src/protocol/ids.ts'
import { FAILURES_TO_TELL } from '../core/limits.ts'
import type { ChunkRecord } from '../core/record.ts'
import { withMarks } from '../core/session.ts'
import { loseRecords } from '../testing/lose.ts'
import { createWorld, recordSession, sessionIdOf } from '../testing/world.ts'
import { recordFailure } from './circuits.ts'
import { fairOrder } from './fair-order.ts'
import { planWork } from './plan-work.ts'

const id = sessionIdOf(1)
const lanes = { bears: () => 2, ready: () => 16 }

/** Chunks that wait for a lane, of so many bytes each. */
async function waitingChunks(count: number, sizeBytes: number) {
  const world = createWorld()
  await recordSession(world, { chunks: count, ending: 'recording' })
  await world.disk.write(async (tx) => {
    const session = (await tx.session(id))!
    for (const chunk of await tx.chunksOf(id)) await tx.putChunk(withMarks({ ...chunk, sizeBytes }, session))
  })
  const look = (moving: ReadonlyMap<ChunkId, ChunkRecord> = new Map(), context = world.worker()) =>
    planWork(context, { moving, running: new Map(), lanes, counts: true, takeNext: fairOrder() })
  return { world, look }
}

// Promise 9 of docs/guarantees.md.
it.each([
  { sizeBytes: 1_000, ready: 16 },
  { sizeBytes: 2 * 1024 * 1024, ready: 3 },
  { sizeBytes: 64 * 1024 * 1024, ready: 0 },
])('has $ready chunks of $sizeBytes bytes ready beside those in lanes', async ({ sizeBytes, ready }) => {
  const { look } = await waitingChunks(30, sizeBytes)
  const { chunks, uploads } = await look()
  expect(uploads).toBe(2)
  expect(chunks).toHaveLength(2 + ready)
})

// Promise 9 of docs/guarantees.md.
it('has as many ready however large they are, where they are sent unread', async () => {
  const { world, look } = await waitingChunks(30, 64 * 1024 * 1024)
  const worker = world.worker()
  const context = {
    ...worker,
    store: { ...worker.store, blob: async () => new Blob() },
    transport: { ...worker.transport, sendUnread: async () => 'sent' as const },
  }
  expect((await look(new Map(), context)).chunks).toHaveLength(2 + 16)
})

// It takes the longer the more there are: the first request of a wake does not wait for it.
it('counts what there is only where nothing goes up', async () => {
  const { world, look } = await waitingChunks(4, 1_000)
  await loseRecords(world, (chunk) => chunk === `${id}/1`)
  const { chunks, events } = await look()
  expect(chunks).toHaveLength(3)
  expect(events).toEqual([])
  const moving = new Map(chunks.map((chunk) => [chunk.id, chunk]))
  expect((await look(moving)).events).toEqual([[id, { type: 'recounted' }]])
})

// Each question is a way to another process and back.
it('asks for the heads of the queue together with the sessions', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 2 })
  const worker = world.worker()
  const asked: string[] = []
  let answer = () => {}
  const answered = new Promise<void>((resolve) => (answer = resolve))
  const read: typeof worker.store.read = (work) =>
    worker.store.read((tx) =>
      work(
        Object.assign(Object.create(tx) as typeof tx, {
          openSessions: async () => (asked.push('sessions'), answered.then(() => tx.openSessions())),
          nextDue: async (...of: Parameters<typeof tx.nextDue>) => (asked.push('queue'), tx.nextDue(...of)),
        }),
      ),
    )
  const look = { moving: new Map(), running: new Map(), lanes, counts: false, takeNext: fairOrder() }
  const planned = planWork({ ...worker, store: { ...worker.store, read } }, look)
  await expect.poll(() => asked).toEqual(['sessions', 'queue', 'queue'])
  answer()
  expect((await planned).chunks).toHaveLength(2)
})

it('seals beside however many uploads are ready', async () => {
  const { world, look } = await waitingChunks(30, 1_000)
  const { chunks } = await look()
  const moving = new Map(chunks.map((chunk) => [chunk.id, chunk]))
  await world.disk.write(async (tx) => {
    const session = (await tx.session(id))!
    const last = (await tx.chunksOf(id)).at(-1)!
    const state = { status: 'captured' } as const
    await tx.putChunk(withMarks({ ...last, state }, session))
  })
  expect((await look(moving)).chunks.map(({ index }) => index)).toEqual([29])
})

// Promise 5 of docs/guarantees.md.
it('gives the trial of a destination that fails to what has waited longest, and not to who failed last', async () => {
  const world = createWorld()
  const [first, second] = [
    await recordSession(world, { number: 1 }),
    await recordSession(world, { number: 2 }),
  ]
  const worker = world.worker()
  for (let failures = 0; failures < FAILURES_TO_TELL; failures++)
    await recordFailure(worker, 'listing', new HoldfastError('unreachable', 'Nobody answers.'))
  const paging = { failures: 3, notBeforeMs: world.clock.now() + 50_000 }
  await world.disk.write(async (tx) => tx.putSession({ ...(await tx.session(first))!, paging }))
  await world.clock.advance(60_000)
  const underWay = { moving: new Map(), running: new Map(), lanes, counts: true, takeNext: fairOrder() }
  const { steps } = await planWork(worker, underWay)
  expect(steps.map(({ kind, session }) => [kind, session.id])).toEqual([['listing', second]])
})
