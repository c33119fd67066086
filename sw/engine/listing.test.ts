import { describe, expect, it } from 'vitest'
import { takesWhole } from '../../e2e/test-size.ts'
import { recordingLockName } from '../../src/protocol/messages.ts'
import type { Sealer } from './context.ts'
import { OwnError } from '../ports/own-error.ts'
import { rootOf, appendEntries, EMPTY_TREE } from '../../src/evidence/tree.ts'
import { MAX_PAGE_BYTES } from '../../src/evidence/limits.ts'
import { pageCid } from '../../src/evidence/page.ts'
import { sealInWorker } from '../seal.ts'
import { countedStore } from '../testing/counted-store.ts'
import { expectThrough } from '../testing/expect-through.ts'
import { BLOCK_MS } from '../testing/fake-servers.ts'
import { publishedLog } from '../testing/published-log.ts'
import { workerLifetime } from '../testing/worker-lifetime.ts'
import {
  createWorld,
  drainOnce,
  recordSession,
  sealedChunk,
  sessionIdOf,
  type World,
} from '../testing/world.ts'
import { admitChunk } from './admit.ts'
import { change } from './change.ts'
import { createDrain } from './drain.ts'
import { beginPage } from './listing.ts'
import { sessionStep } from './session-step.ts'
import { listingDueMs } from '../core/listing.ts'
import { endSession, noteSession, resumeSession } from './sessions.ts'
import type { Store } from '../ports/store.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import { chunkIdOf } from '../../src/protocol/ids.ts'

const id = sessionIdOf(1)
const calm = new AbortController().signal

type Worker = ReturnType<World['worker']>

/** Takes so many steps of the listing: one makes a page, one brings it to the store. */
async function list(world: World, steps: number, worker: Worker = world.worker()) {
  for (let left = steps; left > 0; left--) {
    const session = await worker.store.read((tx) => tx.session(id))
    if (session?.listing) await world.clock.runUntil(sessionStep(worker, session, 'listing', calm))
    else if (session && listingDueMs(session) === 0) await world.clock.runUntil(beginPage(worker, session))
  }
}

const kindsOf = async (world: World) => (await publishedLog(world, id)).entries.map(({ kind }) => kind)

describe('a page', () => {
  // Promise 4 of docs/guarantees.md.
  it('is fixed before it leaves, and holds exactly the entries that no page has', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    await list(world, 1)
    expect(world.server.ledger).toEqual([])
    const { listing } = await world.session(id)
    expect(listing).toMatchObject({ frame: { from: 0 }, tree: { size: 2 } })
    await admitChunk(world.worker(), await sealedChunk(id, 1))
    await list(world, 1)
    // Whoever finds it in flight asks first.
    const address = listing && pageCid(listing.page)
    expect(world.server.ledger.map(({ op, of }) => [op, of])).toEqual([
      ['probe', address],
      ['send', address],
    ])
    expect(await kindsOf(world)).toEqual(['session', 'chunk'])
    await list(world, 2)
    const { pages } = await publishedLog(world, id)
    expect(pages.map(({ entries }) => entries.length)).toEqual([2, 1])
  })

  // Promise 4 of docs/guarantees.md.
  it('whose answer was lost is asked for, and not sent again, whatever was recorded since', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    world.server.fault = (op) => (op === 'send' ? { code: 'unreachable', after: true } : undefined)
    await list(world, 2)
    expect((await world.session(id)).listing?.notBeforeMs).toBeLessThan(Infinity)
    await admitChunk(world.worker(), await sealedChunk(id, 1))
    world.server.fault = () => undefined
    await list(world, 1)
    expect(world.server.ledger.map(({ op }) => op)).toEqual(['probe', 'send', 'probe'])
    expect(await kindsOf(world)).toEqual(['session', 'chunk'])
  })

  it('waits for nothing but the page before it: not for the bytes of its chunks', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    await list(world, 2)
    expect(await world.statuses(id)).toEqual(['uploading', 'uploading', 'uploading'])
    expect(await kindsOf(world)).toEqual(['session', 'chunk', 'chunk', 'chunk', 'end'])
  })

  it('of an empty recording is not made', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 0, ending: 'recording' })
    await list(world, 2)
    expect(world.server.ledger).toEqual([])
    expect((await world.session(id)).listing).toBeUndefined()
  })

  // Promises 4, 8 of docs/guarantees.md.
  it('is the same after each death: never two with one number', async () => {
    let diesAt = 0
    for (let died = true; died;) {
      const world = createWorld()
      await recordSession(world, { chunks: 1, ending: 'interrupted' })
      died = (await drainOnce(world, world.worker(workerLifetime(++diesAt)))) === 'died'
      await admitChunk(world.worker(), await sealedChunk(id, 1))
      await endSession(world.worker(), id)
      await drainOnce(world, world.worker(workerLifetime(diesAt)))
      expect(await drainOnce(world, world.worker())).toBe('idle')
      await expectThrough(world, id, 2)
      for (const times of world.server.stored.values()) expect(times, `moment ${diesAt}`).toBe(1)
    }
    expect(diesAt).toBeGreaterThan(20)
  })

  // Promise 5 of docs/guarantees.md.
  it('that cannot be made is tried again by itself, and stops no other session', async () => {
    const world = createWorld()
    await recordSession(world, { number: 1 })
    await recordSession(world, { number: 2 })
    const worker = world.worker()
    const broken = { ...worker, store: withoutEntries(worker.store) }
    expect(await drainOnce(world, broken)).toBe('work-remains')
    expect(await world.session(id)).toMatchObject({ paused: false, trouble: { error: { code: 'defect' } } })
    await expectThrough(world, sessionIdOf(2), 1)

    await world.clock.advance(60_000)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 1)
  })

  /** The log of the first session cannot be read. */
  const withoutEntries = (store: Store): Store => ({
    ...store,
    read: (work) =>
      store.read((tx) =>
        work(
          Object.assign(Object.create(tx) as typeof tx, {
            entries: async (of: SessionId, from: number, to: number) => {
              if (of === id) throw new TypeError('No entries')
              return tx.entries(of, from, to)
            },
          }),
        ),
      ),
  })

  // Promise 2 of docs/guarantees.md.
  it.each(['first', 'last'] as const)(
    'whose %s entry is lost on the disk is never made: that is told, and asked for ever more rarely',
    async (which) => {
      const world = createWorld()
      await recordSession(world, { chunks: 2 })
      const { store, counts } = countedStore(world.disk)
      const read: Store['read'] = (work) =>
        store.read((tx) =>
          work(
            Object.assign(Object.create(tx) as typeof tx, {
              entries: async (...of: Parameters<typeof tx.entries>) =>
                (await tx.entries(...of)).slice(...(which === 'first' ? [1] : [0, -1])),
            }),
          ),
        )
      expect(await drainOnce(world, { ...world.worker(), store: { ...store, read } }, 'push')).toBe(
        'work-remains',
      )
      expect(counts.transactions).toBeLessThan(100)
      expect(await world.session(id)).toMatchObject({
        listed: { tree: { size: 0 } },
        trouble: { error: { code: 'defect' } },
      })
      expect(await world.statuses(id)).toEqual(['uploaded', 'uploaded'])
      await world.clock.advance(60_000)
      expect(await drainOnce(world, world.worker())).toBe('idle')
      await expectThrough(world, id, 2)
    },
  )

  // Promise 2 of docs/guarantees.md.
  it('whose entries have changed on the disk never leaves', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    await list(world, 1)
    await world.disk.write((tx) => tx.putEntry(id, 1, Uint8Array.of(1, 2, 3)))
    await list(world, 1)
    expect(world.server.ledger.map(({ op }) => op)).toEqual(['probe'])
    expect((await world.session(id)).listing).toMatchObject({
      notBeforeMs: Infinity,
      lastError: { code: 'defect' },
    })
  })
})

describe('a log', () => {
  it('of chunks that the worker seals is in the order of sealing, with its end last', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3, seal: 'worker' })
    expect((await world.session(id)).size).toBe(1)
    let failed = false
    let sealed = Promise.resolve()
    const sealer: Sealer = async (context, chunk) => {
      if (chunk.index === 0 && !failed) {
        failed = true
        throw new OwnError('storage-full', 'The device is full.')
      }
      // One at a time: which of two is sealed first is chance.
      sealed = sealed.then(() => sealInWorker(context, chunk))
      await sealed
    }
    expect(await drainOnce(world, { ...world.worker(), sealer })).toBe('idle')
    const { entries } = await publishedLog(world, id)
    expect(entries.map((entry) => (entry.kind === 'chunk' ? entry.index : entry.kind))).toEqual([
      'session',
      1,
      2,
      0,
      'end',
    ])
    await expectThrough(world, id, 3)
  })

  it('of which one chunk cannot be sealed is anchored with an end, which says interrupted, and how it ended once it can', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3, ending: 'recording', seal: 'worker' })
    await endSession(world.worker(), id, 3)
    const sealer: Sealer = async (context, chunk) => {
      if (chunk.index === 0) throw new OwnError('payload-corrupt', 'Other bytes.')
      await sealInWorker(context, chunk)
    }
    expect(await drainOnce(world, { ...world.worker(), sealer })).toBe('idle')
    expect(await world.statuses(id)).toEqual(['captured', 'confirmed', 'confirmed'])
    const { size, anchored, open, ending } = await world.session(id)
    expect(anchored?.size).toBe(size)
    expect([open !== undefined, ending]).toEqual([true, 'complete'])
    expect((await publishedLog(world, id)).entries.at(-1)).toMatchObject({ how: 'interrupted', indexes: 3 })
    await resumeSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect((await publishedLog(world, id)).entries.at(-1)).toMatchObject({ how: 'complete', indexes: 3 })
    await expectThrough(world, id, 3)
  })

  // Promise 9 of docs/guarantees.md.
  it('of a backlog of 500 chunks, recorded while the store is slow, has few pages', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 0, ending: 'recording' })
    world.locks.hold(recordingLockName(id))
    world.server.latencyMs = 20_000
    const drain = createDrain(world.worker())
    const one = await sealedChunk(id, 0)
    for (let index = 0; index < 500; index++) {
      await admitChunk(world.worker(), { ...one, index })
      if (index % 50 === 0) void drain.join('message')
      await world.clock.advance(100)
    }
    world.server.latencyMs = 0
    await endSession(world.worker(), id)
    await world.clock.runUntil(drain.join('message'))
    expect((await publishedLog(world, id)).pages.length).toBeLessThanOrEqual(5)
    expect((await world.session(id)).anchored?.size).toBe(502)
  })

  // Promise 9 of docs/guarantees.md.
  it('is found in few pages at any moment, whenever its worker died', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 0, ending: 'recording' })
    const letGo = world.locks.hold(recordingLockName(id))
    const one = await sealedChunk(id, 0)
    const CHUNKS = 60
    for (let index = 0; index < CHUNKS; index++) {
      await admitChunk(world.worker(), { ...one, index })
      await drainOnce(world, world.worker(workerLifetime(1 + ((7 * index) % 40))))
      await list(world, 2)
      const { view, entries } = await publishedLog(world, id)
      expect(entries).toHaveLength(index + 2)
      expect(view.length).toBeLessThanOrEqual(4 + 1.25 * Math.sqrt(8 * entries.length))
    }
    await endSession(world.worker(), id)
    letGo()
    await drainOnce(world, world.worker())
    const { view, pages } = await publishedLog(world, id)
    expect(pages.length).toBeGreaterThan(CHUNKS / 2)
    for (const { digest } of pages) expect(world.server.stored.get(pageCid(digest))).toBe(1)
    expect(view.length).toBeLessThanOrEqual(30)
    await expectThrough(world, id, CHUNKS)
  })

  it('that is too long for one page has several, one after the other', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 0, ending: 'recording' })
    const one = await sealedChunk(id, 0)
    for (let index = 0; index < 1_100; index++) await admitChunk(world.worker(), { ...one, index })
    await endSession(world.worker(), id)
    await list(world, 4)
    const { pages, entries } = await publishedLog(world, id)
    expect(pages).toHaveLength(2)
    expect(entries).toHaveLength(1_102)
    expect((await world.session(id)).listed.tree.size).toBe(1_102)
  })
})

describe('a log with long notes', () => {
  const A_LONG_ONE = 'ab'.repeat(60_048)
  const note = (world: World, index: number) =>
    noteSession(world.worker(), id, { index, atMs: index, sealed: A_LONG_ONE })
  const sizesOf = (world: World) =>
    [...world.server.bytes.values()].filter(({ length }) => length > 300).map(({ length }) => length)

  // Promise 9 of docs/guarantees.md.
  it.each([0, 1])('has no page that is too long to be read (%d chunks after each note)', async (chunks) => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    const one = await sealedChunk(id, 0)
    for (let index = 0; index < 12; index++) {
      await note(world, index)
      for (let at = 1; at <= chunks; at++)
        await admitChunk(world.worker(), { ...one, index: index * chunks + at })
      if (index % 3 === 0) await list(world, 2)
    }
    await endSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(Math.max(...sizesOf(world))).toBeLessThanOrEqual(MAX_PAGE_BYTES)
    const { entries, view } = await publishedLog(world, id)
    expect(entries.flatMap((entry) => (entry.kind === 'note' ? [entry.atMs] : []))).toEqual([
      ...Array(12).keys(),
    ])
    expect(view.flatMap((page) => page.entries)).toHaveLength(entries.length)
    await expectThrough(world, id, 1 + 12 * chunks)
  })
})

describe('a head', () => {
  // Promise 3 of docs/guarantees.md.
  it('is handed over only of entries that are on the disk and at the store', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    const worker = world.worker()
    const { submit } = worker.anchor
    worker.anchor.submit = async (request, signal) => {
      const { size, root, page } = request.head
      const entries = await world.disk.read((tx) => tx.entries(id, 0, size))
      expect(await rootOf(await appendEntries(EMPTY_TREE, entries))).toBe(root)
      expect(world.server.stored.get(pageCid(page))).toBe(1)
      await submit(request, signal)
    }
    expect(await drainOnce(world, worker)).toBe('idle')
    expect(world.chain.submits()).toBe(1)
    await expectThrough(world, id, 2)
  })

  // Promise 4 of docs/guarantees.md.
  it('has one signature, whoever signed it last', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    await list(world, 1)
    const late = world.worker()
    let goOn = () => {}
    const { send } = late.transport
    late.transport.send = async (...args) => {
      const answer = await send(...args)
      await new Promise<void>((resolve) => (goOn = resolve))
      return answer
    }
    const stale = sessionStep(late, await world.session(id), 'listing', calm)
    await world.clock.advance(10)
    await list(world, 1)
    const signed = await world.disk.read((tx) => tx.head(id, 2))
    expect(signed).toBeDefined()
    goOn()
    await world.clock.runUntil(stale)
    expect(await world.disk.read((tx) => tx.head(id, 2))).toEqual(signed)
    expect((await world.session(id)).listed.pages.number).toBe(1)
  })

  it('says that the recording has ended exactly where its page holds the end, whenever that came', async () => {
    for (const before of [1, 2]) {
      const world = createWorld()
      await recordSession(world, { ending: 'recording' })
      const worker = world.worker()
      const { read } = worker.store
      let reads = 0
      worker.store.read = async (work) => {
        if (++reads === before) await endSession(world.worker(), id)
        return read(work)
      }
      await list(world, 1, worker)
      expect(await drainOnce(world, world.worker())).toBe('idle')
      await expectThrough(world, id, 1)
    }
  })
})

// Promise 5 of docs/guarantees.md.
describe('listing and witnessing', () => {
  it('do not wait for each other: a chain that does not answer holds up no page', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    world.locks.hold(recordingLockName(id))
    const worker = world.worker()
    worker.anchor.read = () => new Promise(() => {})
    const drain = createDrain(worker)
    for (let index = 1; index < 4; index++) {
      void drain.join('message')
      await world.clock.advance(5_000)
      await admitChunk(world.worker(), await sealedChunk(id, index))
    }
    void drain.join('message')
    await world.clock.advance(5_000)
    expect((await publishedLog(world, id)).pages).toHaveLength(4)
    expect(await world.statuses(id)).toEqual(Array(4).fill('anchoring'))
  })

  it('do not wait for each other: a page that does not get through holds up no head', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    world.locks.hold(recordingLockName(id))
    const worker = world.worker()
    const drain = createDrain(worker)
    void drain.join('message')
    await world.clock.advance(100)
    worker.transport.send = () => new Promise(() => {})
    await admitChunk(world.worker(), await sealedChunk(id, 1))
    void drain.join('message')
    await world.clock.advance(5 * BLOCK_MS)
    expect(await world.session(id)).toMatchObject({
      listing: { frame: { from: 2 } },
      anchored: { size: 2 },
    })
    expect(await world.statuses(id)).toEqual(['confirmed', 'uploading'])
  })
})

// Promise 9 of docs/guarantees.md.
describe('one more chunk', () => {
  /** What it costs to list and anchor one more chunk of a session that has so many, all confirmed. */
  async function costAfter(chunks: number) {
    const world = createWorld()
    await recordSession(world, { chunks: 0, ending: 'recording' })
    const one = await sealedChunk(id, 0)
    const plain = world.worker()
    const add = async (index: number) => {
      await admitChunk(plain, { ...one, index })
      await change(plain, id, { type: 'chunk', id: chunkIdOf(id, index), event: { type: 'stored' } })
    }
    const through = async (worker: Worker) => {
      do await world.clock.runUntil(sessionStep(worker, await world.session(id), 'listing', calm))
      while ((await world.session(id)).listed.tree.size < (await world.session(id)).size)
      const witness = async () =>
        world.clock.runUntil(sessionStep(worker, await world.session(id), 'witness', calm))
      await witness()
      await world.clock.advance(3 * BLOCK_MS)
      await witness()
    }
    for (let index = 0; index < chunks; index++) await add(index)
    await through(plain)
    expect((await world.session(id)).tally.confirmed).toBe(chunks)
    await world.clock.advance(plain.anchor.everyMs)

    await add(chunks)
    const { store, counts } = countedStore(plain.store)
    await through({ ...plain, store })
    expect((await world.session(id)).tally.confirmed).toBe(chunks + 1)
    return counts
  }

  it('costs the same few records, however many the session has', async () => {
    const few = await costAfter(30)
    expect(await costAfter(takesWhole() ? 3_000 : 300)).toEqual(few)
    // To make its page, send it and sign its head; to hand that over; to let its bytes go, and keep its anchor.
    expect([few.transactions, few.records]).toEqual([7, 20])
  })
})
