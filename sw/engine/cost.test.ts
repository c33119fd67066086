import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Backend } from '../../e2e/backend/index.ts'
import { sandbox, type Sandbox } from '../../e2e/backend/sandbox.ts'
import { newToken, transportOf, type VariantName } from '../../e2e/transports/variants.ts'
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import { groupCommit } from '../adapters/store/group-commit.ts'
import { countedStore, type StoreCounts } from '../testing/counted-store.ts'
import { cidOf, createWorld, drainOnce, recordSession, sealedChunk, sessionIdOf } from '../testing/world.ts'
import { admitChunk } from './admit.ts'
import { createDrain } from './drain.ts'
import { isQuestion, reply } from './requests.ts'
import { transfer } from './transfer.ts'

// What a chunk costs, counted: times are for `npm run bench`. A number that grows here is a device that waits.

const id = sessionIdOf(1)
const never = new AbortController().signal

let box: Sandbox
let backend: Backend
let token: string

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
  token = await newToken(backend.endpoints)
})
afterAll(() => box.clear())

/** Digests of exactly so many bytes that the work asked for. */
async function digestsOf(sizeBytes: number, work: () => Promise<unknown>): Promise<number> {
  const digest = vi.spyOn(crypto.subtle, 'digest')
  try {
    await work()
    return digest.mock.calls.filter(([, data]) => data.byteLength === sizeBytes).length
  } finally {
    digest.mockRestore()
  }
}

/** A device with a session, and a worker on a store that counts. */
async function countedDevice() {
  const world = createWorld()
  await recordSession(world, { chunks: 0, ending: 'recording' })
  const worker = world.worker()
  const { store, counts } = countedStore(worker.store)
  return { world, context: { ...worker, store }, counts }
}

describe('a hand-off', () => {
  it('is one strict transaction, and writes the posted Blob once', async () => {
    const { context, counts } = await countedDevice()
    const handed = await sealedChunk(id, 0)
    const digests = await digestsOf(handed.payload.size, () => admitChunk(context, handed))
    expect(counts).toMatchObject({ transactions: 1, strict: 1, posted: 1, bytesRead: 0 })
    expect(counts.bytesWritten).toBe(handed.payload.size)
    // Of one leaf the digest is the address too.
    expect(digests).toBe(1)
  })

  it('of a file writes the bytes that were hashed, and not what the file has by then', async () => {
    const { context, counts } = await countedDevice()
    const handed = await sealedChunk(id, 0)
    await admitChunk(context, { ...handed, payload: new File([handed.payload], 'a file') })
    expect(counts).toMatchObject({ posted: 0, bytesWritten: handed.payload.size })
  })
})

/** Beside one read of the bytes: strict commits, digests of all bytes, and requests. */
type Cost = readonly [strict: number, digests: number, requests: number]

const COSTS: Readonly<Record<Exclude<VariantName, 'pinata-legacy' | 'pinata-signed'>, Cost>> = {
  ipfs: [1, 1, 1],
  // A part's checksum; the upload's URL, which is kept.
  tus: [2, 2, 3],
  // Read back.
  'tus-plain': [2, 2, 4],
  resumable: [2, 1, 2],
  // Forgets an upload once it is whole: that is asked twice. Read back.
  'resumable-mute': [2, 2, 5],
  put: [1, 1, 1],
  'put-mute': [1, 2, 3],
  pinata: [1, 1, 1],
}

describe('an upload', () => {
  it.each(Object.entries(COSTS))(
    'by %s costs no more than it did',
    async (variant, [strict, digests, requests]) => {
      const { world, context, counts } = await countedDevice()
      const handed = await sealedChunk(id, 0)
      await admitChunk(context, handed)
      const [chunk] = await world.chunks(id)
      const session = await world.session(id)
      const transport = transportOf(variant as VariantName, { endpoints: backend.endpoints, token }, () => {})
      const work = () => transfer({ ...context, transport }, chunk!, never, session, (requests) => requests())
      const before = { ...counts }
      const sinceEntry = backend.ledger.all().length
      const hashed = await digestsOf(handed.payload.size, work)
      expect((await world.chunks(id))[0]?.state.status).toBe('uploaded')
      const since = (of: keyof StoreCounts) => counts[of] - before[of]
      const cid = cidOf(chunk)
      const asked = backend.ledger
        .all()
        .slice(sinceEntry)
        .filter(({ key, method }) => key === cid && method !== 'OPTIONS')
      expect({
        strict: since('strict'),
        others: since('transactions') - since('strict'),
        digests: hashed,
        requests: asked.length,
        read: since('bytesRead') / handed.payload.size,
        written: since('bytesWritten'),
      }).toEqual({ strict, others: 2, digests, requests, read: 1, written: 0 })
    },
  )
})

describe('a drain', () => {
  it('looks no more often because a page asks, and does so for news', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 1 })
    world.server.latencyMs = 100_000
    const worker = world.worker()
    const { store, counts } = countedStore(worker.store)
    const drain = createDrain({ ...worker, store })
    void drain.join('message')
    await world.clock.advance(100)
    const before = counts.transactions
    for (let times = 0; times < 40; times++) void drain.join('message', false, false)
    await world.clock.advance(10)
    expect(counts.transactions).toBe(before)
    void drain.join('message')
    await world.clock.advance(10)
    expect(counts.transactions).toBeGreaterThan(before)
    worker.lifetime.die()
  })

  it('takes for a question what changes nothing', () => {
    const questions = ['sessions', 'chunks', 'bytes', 'log']
    const types = [...questions, 'hello', 'chunk', 'session-end', 'resume', 'policy']
    expect(types.filter((type) => isQuestion({ type }))).toEqual(questions)
  })

  it('costs the same few transactions for a chunk, however many wait', async () => {
    const perChunk = async (chunks: number) => {
      const world = createWorld()
      await recordSession(world, { chunks })
      const worker = world.worker()
      const { store, counts } = countedStore(worker.store)
      expect(await drainOnce(world, { ...worker, store })).toBe('idle')
      return counts.transactions / chunks
    }
    const few = await perChunk(20)
    expect(few).toBeLessThanOrEqual(5)
    expect(await perChunk(200)).toBeLessThanOrEqual(few)
  })

  it('looks once for several uploads that are over together, also when none is left to begin', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 64 })
    world.server.latencyMs = 5
    const { store, ...worker } = world.worker()
    let looks = 0
    const read: typeof store.read = (work) =>
      store.read(async (tx) => {
        const asked = vi.spyOn(tx, 'openSessions')
        const result = await work(tx)
        looks += asked.mock.calls.length
        return result
      })
    expect(await drainOnce(world, { ...worker, store: { ...store, read } })).toBe('idle')
    expect(looks).toBeLessThan(30)
  })

  const SESSIONS = 30

  /** A device with so many sessions, whose store writes what comes in meanwhile together. */
  async function crowdedDevice(world = createWorld()) {
    for (let number = 1; number <= SESSIONS; number++) await recordSession(world, { number })
    const worker = world.worker()
    const counts = { transactions: 0 }
    const write = groupCommit((work, needs) => {
      counts.transactions++
      return worker.store.write(work, needs)
    })
    return { world, counts, context: { ...worker, store: { ...worker.store, write } } }
  }

  it('tells many sessions of one server in a few transactions', async () => {
    const world = createWorld()
    await recordSession(world, { number: SESSIONS + 1 })
    world.server.fault = () => ({ code: 'throttled', retryAfterMs: 600_000 })
    await drainOnce(world, world.worker(), 'push')
    const { counts, context } = await crowdedDevice(world)
    await drainOnce(world, context, 'push')
    for (let number = 1; number <= SESSIONS; number++)
      expect((await world.session(sessionIdOf(number))).trouble).toBeDefined()
    expect(counts.transactions).toBeLessThan(SESSIONS / 3)
  })

  it('and a page that arrives has what is parked in many tried soon, in a few', async () => {
    const { world, counts, context } = await crowdedDevice()
    world.server.fault = () => ({ code: 'rejected-by-store' })
    for (let times = 0; times < 6; times++) {
      await drainOnce(world, context, 'push')
      await world.clock.advance(600_000)
    }
    await drainOnce(world, context, 'push')
    const trials = async (number: number) => (await world.session(sessionIdOf(number))).trials?.refusal
    const before = await Promise.all(Array.from({ length: SESSIONS }, (_none, at) => trials(at + 1)))
    counts.transactions = 0
    await reply(context, { holdfast: PROTOCOL_VERSION, type: 'hello' })
    let sooner = 0
    for (const [at, trial] of before.entries())
      if ((await trials(at + 1))!.retryAtMs < trial!.retryAtMs) sooner++
    expect(sooner).toBeGreaterThan(10)
    expect(counts.transactions).toBeLessThan(sooner / 2)
  })
})
