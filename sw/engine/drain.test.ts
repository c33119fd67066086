import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { recordingLockName } from '../../src/protocol/messages.ts'
import type { Policy } from '../../src/protocol/snapshot.ts'
import { admitChunk } from './admit.ts'
import { createDrain, BUDGETS_MS } from './drain.ts'
import type { Sealer } from './context.ts'
import { endSession, pauseSession, resumeSession, startSession } from './sessions.ts'
import { sealInWorker } from '../seal.ts'
import { workerLifetime } from '../testing/worker-lifetime.ts'
import {
  aRawStart,
  createWorld,
  drainOnce,
  rawChunk,
  recordSession,
  sealedChunk,
  sessionIdOf,
  type World,
} from '../testing/world.ts'

const id = sessionIdOf(1)

/** What must hold of every session that is through. */
async function expectThrough(world: World, sessionId = id, chunkCount = 3) {
  const chunks = await world.chunks(sessionId)
  expect(chunks.map(({ state }) => state.status)).toEqual(
    Array.from({ length: chunkCount }, () => 'confirmed'),
  )
  for (const chunk of chunks) expect(await world.hasPayload(chunk)).toBe(false)
  const session = await world.session(sessionId)
  expect(session).not.toHaveProperty('open')
  expect(session).not.toHaveProperty('publication')
  expect(session.localBytes).toBe(0)
  expect(session.anchored).toMatchObject({ ending: session.ending, chunkCount })
  const ofSession = world.chain.entries.filter(({ request }) => request.sessionId === sessionId)
  expect(ofSession.at(-1)?.request).toMatchObject({
    merkleRoot: session.anchored?.merkleRoot,
    manifestCid: session.anchored?.manifestCid,
  })
}

describe('a drain', () => {
  it('takes a whole session from its chunks to the confirmation: each object sent once, one anchor', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world)
    expect(world.server.ledger.map(({ op }) => op)).toEqual(['send', 'send', 'send', 'send'])
    expect([...world.server.stored.values()]).toEqual([1, 1, 1, 1])
    expect(world.chain.submits()).toBe(1)
    const log = await world.disk.read((tx) => tx.log(100))
    expect(log.filter(({ event }) => event === 'anchor-confirmed')).toHaveLength(3)
  })

  it('is idle at once where nothing is left to do', async () => {
    const world = createWorld()
    const startMs = world.clock.now()
    expect(await drainOnce(world, world.worker(), 'sync')).toBe('idle')
    expect(world.clock.now()).toBe(startMs)
  })

  // Promise 9 of docs/guarantees.md.
  it('publishes a backlog of 500 chunks once', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 500, ending: 'interrupted', startedAtMs: world.clock.now() - 36e5 })
    world.server.latencyMs = 100
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 500)
    expect(world.chain.submits()).toBe(1)
  })

  it('asks to be woken again while work remains', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    await drainOnce(world, worker)
    expect(worker.armed).toBeGreaterThan(0)
  })

  /** How many uploads were under way at once: in the first seconds, and at most. */
  async function lanesOf(world: World, worker: ReturnType<World['worker']>) {
    const startMs = world.clock.now()
    let now = 0
    const seen = { first: 0, most: 0 }
    const { send } = worker.transport
    worker.transport.send = async (...args) => {
      seen.most = Math.max(seen.most, ++now)
      if (world.clock.now() - startMs < 2_000) seen.first = seen.most
      return send(...args).finally(() => now--)
    }
    await drainOnce(world, worker)
    return seen
  }

  // Promise 9 of docs/guarantees.md.
  it('takes three lanes at first, and six at most where each brings more', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 80 })
    world.server.latencyMs = 1_000
    expect(await lanesOf(world, world.worker())).toEqual({ first: 3, most: 6 })
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
    // A link that carries one upload after the other.
    worker.transport.send = async (upload, bytes, held, attempt) => {
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
    const { send } = worker.transport
    let now = 0
    worker.transport.send = async (...args) => {
      most.push(++now)
      return send(...args).finally(() => now--)
    }
    await drainOnce(world, worker)
    expect(Math.max(...most.slice(0, 3))).toBe(3)
    expect(Math.max(...most.slice(3, 16))).toBe(2)
  })

  it('takes the oldest session first, and its chunks in order', async () => {
    const world = createWorld()
    await recordSession(world, { number: 2, chunks: 3, startedAtMs: 2_000 })
    await recordSession(world, { number: 1, chunks: 3, startedAtMs: 1_000 })
    world.server.fault = () => ({ code: 'throttled', retryAfterMs: 3_600_000 })
    await drainOnce(world, world.worker(), 'push')
    const begun = (await world.disk.read((tx) => tx.log(100))).filter(({ event }) => event === 'send-began')
    const places = begun.map(({ sessionId, index }) => `${sessionId}/${index}`)
    expect(places.toSorted()).toEqual([0, 1, 2].map((index) => `${id}/${index}`))
  })

  /** In which order the uploads of these sessions began, as letters. */
  async function orderOf(world: World) {
    const worker = world.worker()
    await drainOnce(world, worker)
    const begun = (await world.disk.read((tx) => tx.log(10_000))).filter(
      ({ event }) => event === 'send-began',
    )
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
      for (let from = 0; from + 12 < order.lastIndexOf('A'); from += 12)
        expect(new Set(order.slice(from, from + 12)), `from ${from}`).toEqual(new Set(['A', 'B', 'C']))
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
    const [first] = await world.chunks(id)
    const cid = first && 'seal' in first.state ? first.state.seal.cid : ''
    let failed = false
    world.server.fault = (_op, of) =>
      of === cid && !failed ? ((failed = true), { code: 'bad-answer' }) : undefined
    await drainOnce(world, world.worker())
    const again = world.server.ledger.findLastIndex((line) => line.of === cid)
    expect(world.server.ledger[again]?.taken).toBe(true)
    expect(again).toBeLessThan(20)
  })
})

describe('a death', () => {
  /** Dies at the given moment of the first life, then lives again until all is through. */
  async function dieAndLiveAgain(diesAt: number) {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    const first = world.worker(workerLifetime(diesAt))
    const outcome = await drainOnce(world, first)
    for (const chunk of await world.chunks(id))
      expect(await world.hasPayload(chunk)).toBe(chunk.state.status !== 'confirmed')
    if (outcome === 'died') expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world)
    return { world, outcome, moments: first.life.moments }
  }

  // Promises 3, 4, 8 of docs/guarantees.md.
  it('at any moment costs nothing, and nothing is sent twice unless it was asked for before', async () => {
    const { moments } = await dieAndLiveAgain(Infinity)
    expect(moments).toBeGreaterThan(40)
    for (let diesAt = 1; diesAt <= moments; diesAt++) {
      const { world, outcome } = await dieAndLiveAgain(diesAt)
      expect(outcome, `moment ${diesAt}`).toBe('died')
      for (const [cid, times] of world.server.stored) expect(times, `${cid} at moment ${diesAt}`).toBe(1)
      const sent = new Set<string>()
      for (const [at, { op, of }] of world.server.ledger.entries()) {
        if (op !== 'send') continue
        if (sent.has(of)) {
          const before = world.server.ledger.slice(0, at).findLast((line) => line.of === of)
          expect(before?.op, `moment ${diesAt}`).toBe('probe')
        }
        sent.add(of)
      }
      expect(world.chain.relayed.size, `moment ${diesAt}`).toBe(1)
      for (const [at, { op }] of world.chain.ledger.entries())
        if (op === 'submit')
          expect(world.chain.ledger[at - 1]?.op, `before submit, moment ${diesAt}`).toBe('read')
    }
  })

  // Promise 8 of docs/guarantees.md.
  it('every few moments, again and again, still ends confirmed', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    let lives = 0
    for (;;) {
      const outcome = await drainOnce(world, world.worker(workerLifetime(5 + (lives++ % 3))))
      if (outcome !== 'died') break
      expect(lives).toBeLessThan(200)
    }
    expect(lives).toBeGreaterThan(5)
    await expectThrough(world)
    expect([...world.server.stored.values()]).toEqual([1, 1, 1, 1])
  })
})

describe('failures', () => {
  // Promise 5 of docs/guarantees.md.
  it('of one chunk stop no other, and no other session', async () => {
    const world = createWorld()
    await recordSession(world, { number: 1, chunks: 3 })
    await recordSession(world, { number: 2, chunks: 2 })
    const [, bad] = await world.chunks(id)
    const badCid = bad && 'seal' in bad.state ? bad.state.seal.cid : ''
    world.server.fault = (_op, of) => (of === badCid ? { code: 'rejected-by-store' } : undefined)
    expect(await drainOnce(world, world.worker())).toBe('work-remains')
    expect(await world.statuses(id)).toEqual(['confirmed', 'uploading', 'confirmed'])
    expect(bad && (await world.hasPayload(bad))).toBe(true)
    await expectThrough(world, sessionIdOf(2), 2)
    const session = await world.session(id)
    expect(session).toMatchObject({ parked: 1, trouble: { error: { code: 'rejected-by-store' } } })
    expect(session.open).toBeDefined()

    world.server.fault = () => undefined
    await resumeSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world)
  })

  // Promise 6 of docs/guarantees.md.
  it('of a dead server are not repeated for each of 50 chunks, and cost them no attempt', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 50 })
    world.server.fault = () => ({ code: 'unreachable' })
    const startMs = world.clock.now()
    expect(await drainOnce(world, world.worker(), 'sync')).toBe('work-remains')
    const seconds = (world.clock.now() - startMs) / 1_000
    expect(world.server.ledger.length).toBeLessThan(seconds)
    for (const chunk of await world.chunks(id)) expect(chunk).toMatchObject({ retryCount: 0, failures: 0 })

    world.server.fault = () => undefined
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 50)
  })

  // Promise 6 of docs/guarantees.md.
  it('of a dead relay are backed off from, though the chain can be read', async () => {
    const world = createWorld()
    await recordSession(world)
    world.chain.fault = (op) => (op === 'submit' ? { code: 'unreachable' } : undefined)
    const startMs = world.clock.now()
    expect(await drainOnce(world, world.worker(), 'sync')).toBe('work-remains')
    const seconds = (world.clock.now() - startMs) / 1_000
    expect(world.chain.submits()).toBeLessThan(seconds / 3)
  })

  // Promise 6 of docs/guarantees.md.
  it('of a dead chain are not repeated for each of 20 sessions', async () => {
    const world = createWorld()
    for (let number = 1; number <= 20; number++) await recordSession(world, { number })
    world.chain.fault = () => ({ code: 'unreachable' })
    const startMs = world.clock.now()
    expect(await drainOnce(world, world.worker(), 'sync')).toBe('work-remains')
    const seconds = (world.clock.now() - startMs) / 1_000
    expect(world.chain.ledger.length).toBeLessThan(seconds)

    world.chain.fault = () => undefined
    expect(await drainOnce(world, world.worker())).toBe('idle')
    for (let number = 1; number <= 20; number++) await expectThrough(world, sessionIdOf(number), 1)
  })

  // Promise 6 of docs/guarantees.md.
  it('wait as long as the server asks', async () => {
    const world = createWorld()
    await recordSession(world)
    let asked = false
    world.server.fault = () => {
      if (asked) return undefined
      asked = true
      return { code: 'throttled', retryAfterMs: 100_000 }
    }
    expect(await drainOnce(world, world.worker())).toBe('idle')
    const [first, second] = world.server.ledger
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(100_000)
  })

  it('of the store on this device end the drain, and lose nothing', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    const worker = world.worker()
    const { write } = worker.store
    let writes = 0
    const broken = {
      ...worker,
      store: { ...worker.store, write: ((work) => (++writes > 4 ? fail() : write(work))) as typeof write },
    }
    const fail = () => Promise.reject(new HoldfastError('storage-failed', 'The disk is gone.'))
    await expect(drainOnce(world, broken)).rejects.toMatchObject({ code: 'storage-failed' })
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world)
  })

  it('of one chunk’s bytes, whatever the database calls them, stop no other chunk', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 20 })
    const worker = world.worker()
    const [bad] = await world.chunks(id)
    const payload: typeof worker.store.payload = (of) =>
      of === bad?.id ? Promise.reject(new HoldfastError('storage-failed', 'UnknownError')) : read(of)
    const read = worker.store.payload
    await drainOnce(world, { ...worker, store: { ...worker.store, payload } })
    const session = await world.session(id)
    expect(session.tally).toMatchObject({ uploading: 1, confirmed: 19 })
    expect(session.trouble).toMatchObject({ error: { code: 'payload-unreadable' } })
  })

  it('of a transport that never answers free their lanes, though a page greets all the time', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 10 })
    const worker = world.worker()
    const { send } = worker.transport
    let sends = 0
    worker.transport.send = (...args) => (sends++ < 3 ? new Promise(() => {}) : send(...args))
    const drain = createDrain(worker)
    for (let greetings = 0; greetings < 20; greetings++) {
      void drain.join('message')
      await world.clock.advance(20_000)
    }
    await expectThrough(world, id, 10)
  })

  it('are told with the error that a person must clear, whatever else fails or goes well', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    const [bad, flaky] = (await world.chunks(id)).map(({ state }) => ('seal' in state ? state.seal.cid : ''))
    let failed = false
    world.server.fault = (_op, of) => {
      if (of === bad) return { code: 'sign-in-needed' }
      if (of !== flaky || failed) return undefined
      failed = true
      return { code: 'server-error' }
    }
    await drainOnce(world, world.worker())
    expect(await world.session(id)).toMatchObject({ trouble: { error: { code: 'sign-in-needed' } } })
    expect((await world.session(id)).trouble).not.toHaveProperty('retryAtMs')
  })

  it('of an anchor that was refused are still told after another chunk went well', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'interrupted' })
    world.chain.fault = (op) => (op === 'submit' ? { code: 'anchor-rejected' } : undefined)
    await drainOnce(world, world.worker())
    expect((await world.session(id)).trouble?.error.code).toBe('anchor-rejected')
    await admitChunk(world.worker(), await sealedChunk(id, 1))
    await drainOnce(world, world.worker())
    expect(await world.statuses(id)).toEqual(['anchoring', 'uploaded'])
    expect((await world.session(id)).trouble?.error.code).toBe('anchor-rejected')
  })
})

describe('the policy', () => {
  const setPolicy = (world: World, policy: Policy) => world.disk.write((tx) => tx.putMeta('policy', policy))
  const requests = ({ server, chain }: World) => server.ledger.length + chain.ledger.length

  it('paused lets nothing leave and asks for no wake, while chunks are taken and sealed', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    await startSession(world.worker(), aRawStart(2))
    for (const index of [0, 1, 2, 3]) await admitChunk(world.worker(), await rawChunk(sessionIdOf(2), index))
    await endSession(world.worker(), sessionIdOf(2))
    await setPolicy(world, 'paused')
    const worker = world.worker()
    expect(await drainOnce(world, worker)).toBe('idle')
    expect(worker.armed).toBe(0)
    expect(requests(world)).toBe(0)
    for (const sessionId of [id, sessionIdOf(2)])
      expect(new Set(await world.statuses(sessionId))).toEqual(new Set(['uploading']))

    await setPolicy(world, 'always')
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world)
    await expectThrough(world, sessionIdOf(2), 4)
  })

  it.each(['paused', 'unmetered'] as const)(
    '%s leaves no chunk raw whose sealing failed once',
    async (policy) => {
      const world = createWorld()
      await startSession(world.worker(), aRawStart())
      for (const index of [0, 1]) await admitChunk(world.worker(), await rawChunk(id, index))
      await setPolicy(world, policy)
      world.network.metered = true
      const worker = world.worker()
      let sealings = 0
      const sealer: Sealer = async (context, chunk) => {
        if (sealings++ === 0) throw new HoldfastError('storage-full', 'The device is full.')
        await sealInWorker(context, chunk)
      }
      await drainOnce(world, { ...worker, sealer })
      expect(await world.statuses(id)).toEqual(['uploading', 'uploading'])
      expect(world.server.ledger).toEqual([])
    },
  )

  it('paused stops what is under way, and spends no attempt on it', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    world.server.latencyMs = 60_000
    const drain = createDrain(world.worker())
    const first = drain.join('message')
    await world.clock.advance(1_000)
    await setPolicy(world, 'paused')
    drain.notify()
    await world.clock.runUntil(first)
    expect(await first).toBe('idle')
    expect(requests(world)).toBe(0)
    for (const chunk of await world.chunks(id)) {
      expect(chunk).toMatchObject({ retryCount: 0, state: { status: 'uploading', sent: true } })
      expect(chunk).not.toHaveProperty('lastError')
    }
    expect(await world.session(id)).not.toHaveProperty('trouble')
    await setPolicy(world, 'always')
    await world.clock.runUntil(drain.join('message'))
    await expectThrough(world)
    expect([...world.server.stored.values()]).toEqual([1, 1, 1, 1])
  })

  it.each(['paused', 'unmetered'] as const)('%s stops a publication too', async (policy) => {
    const world = createWorld()
    await recordSession(world)
    const drain = createDrain(world.worker())
    const joined = drain.join('message')
    await world.clock.advance(500)
    expect(await world.statuses(id)).toEqual(['anchoring'])
    world.network.metered = true
    await setPolicy(world, policy)
    const before = requests(world)
    drain.notify()
    await world.clock.runUntil(joined)
    expect(await joined).toBe(policy === 'paused' ? 'idle' : 'work-remains')
    expect(requests(world)).toBe(before)
    await setPolicy(world, 'always')
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 1)
  })

  it('unmetered waits while the browser tells of a metered network, and goes on without another wake', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    await setPolicy(world, 'unmetered')
    world.network.metered = true
    const worker = world.worker()
    let looks = 0
    const { read } = worker.store
    worker.store.read = (work) => (looks++, read(work))
    const joined = createDrain(worker).join('message')
    await world.clock.advance(60_000)
    expect(requests(world)).toBe(0)
    expect(worker.armed).toBeGreaterThan(0)
    expect(looks).toBeLessThan(10)
    world.network.metered = false
    await world.clock.runUntil(joined)
    expect(await joined).toBe('idle')
    await expectThrough(world)
  })

  it('unmetered ends with work-remains when the network stays metered, and always goes on over it', async () => {
    const world = createWorld()
    await recordSession(world)
    await setPolicy(world, 'unmetered')
    world.network.metered = true
    expect(await drainOnce(world, world.worker(), 'sync')).toBe('work-remains')
    expect(requests(world)).toBe(0)
    await setPolicy(world, 'always')
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 1)
  })

  it('paused or not, a dead recorder is noticed', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    const release = world.locks.hold(recordingLockName(id))
    await setPolicy(world, 'paused')
    expect(await drainOnce(world, world.worker())).toBe('idle')
    release()
    await world.clock.advance(100)
    expect((await world.session(id)).ending).toBe('interrupted')
    expect(requests(world)).toBe(0)
  })
})

describe('a refused sign-in', () => {
  const HOUR_MS = 3_600_000

  /** Wakes as a browser would, every five minutes, until nothing is left or the time is over. */
  async function wakeUntil(world: World, untilMs: number) {
    while (world.clock.now() < untilMs) {
      if ((await drainOnce(world, world.worker(), 'sync')) === 'idle') return 'idle'
      await world.clock.advance(300_000)
    }
    return 'work-remains'
  }

  // Promise 5 of docs/guarantees.md.
  it('that works again after two hours goes on by itself, and was not asked for much meanwhile', async () => {
    const world = createWorld()
    await recordSession(world, { number: 1, chunks: 20 })
    await recordSession(world, { number: 2, chunks: 1 })
    const startMs = world.clock.now()
    world.server.fault = () => ({ code: 'sign-in-needed' })
    expect(await wakeUntil(world, startMs + 2 * HOUR_MS)).toBe('work-remains')
    expect(await world.session(id)).toMatchObject({
      parked: 20,
      trouble: { error: { code: 'sign-in-needed' } },
      trials: { 'sign-in': { failures: expect.any(Number) } },
    })
    // Each chunk once, and a few trials for each session.
    expect(world.server.ledger.length).toBeGreaterThan(21 + 4)
    expect(world.server.ledger.length).toBeLessThan(21 + 40)

    world.server.fault = () => undefined
    const backMs = world.clock.now()
    expect(await wakeUntil(world, backMs + 2 * HOUR_MS)).toBe('idle')
    await expectThrough(world, id, 20)
    await expectThrough(world, sessionIdOf(2), 1)
    for (const number of [1, 2]) {
      const session = await world.session(sessionIdOf(number))
      expect(session).not.toHaveProperty('trials')
      expect(session).not.toHaveProperty('trouble')
    }
  })

  it('of the relay goes on by itself too', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    world.chain.fault = () => ({ code: 'sign-in-needed' })
    expect(await wakeUntil(world, world.clock.now() + 2 * HOUR_MS)).toBe('work-remains')
    expect(world.chain.ledger.length).toBeLessThan(20)
    world.chain.fault = () => undefined
    expect(await wakeUntil(world, world.clock.now() + 2 * HOUR_MS)).toBe('idle')
    await expectThrough(world, id, 2)
  })

  // Promise 9 of docs/guarantees.md.
  it('holds no wake until its next trial', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    world.server.fault = () => ({ code: 'sign-in-needed', retryAfterMs: HOUR_MS })
    const startMs = world.clock.now()
    const worker = world.worker()
    expect(await drainOnce(world, worker)).toBe('work-remains')
    expect(world.clock.now() - startMs).toBeLessThan(1_000)
    expect(worker.armed).toBeGreaterThan(0)
    expect((await world.session(id)).trials?.['sign-in']?.retryAtMs).toBe(startMs + HOUR_MS)
  })

  // Promise 5 of docs/guarantees.md.
  it('of one chunk alone stops nobody, not the publication of the others either', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 4 })
    const [forbidden] = await world.chunks(id)
    const cid = forbidden && 'seal' in forbidden.state ? forbidden.state.seal.cid : ''
    world.server.fault = (_op, of) => (of === cid ? { code: 'sign-in-needed' } : undefined)
    const startMs = world.clock.now()
    expect(await drainOnce(world, world.worker(), 'push')).toBe('work-remains')
    expect(await world.statuses(id)).toEqual(['uploading', 'confirmed', 'confirmed', 'confirmed'])
    expect(world.server.sends(cid)).toBeLessThan(4)
    expect(await wakeUntil(world, startMs + 6 * HOUR_MS)).toBe('work-remains')
    expect(world.server.ledger.filter(({ of }) => of === cid).length).toBeLessThan(30)
  })

  it('of one chunk is no reason to let another wait, which is only tried less often', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    const [forbidden] = await world.chunks(id)
    const cid = forbidden && 'seal' in forbidden.state ? forbidden.state.seal.cid : ''
    world.server.fault = () => ({ code: 'sign-in-needed' })
    await wakeUntil(world, world.clock.now() + HOUR_MS)
    world.server.fault = (_op, of) => (of === cid ? { code: 'sign-in-needed' } : undefined)
    await wakeUntil(world, world.clock.now() + 3 * HOUR_MS)
    expect(await world.statuses(id)).toEqual(['uploading', 'confirmed', 'confirmed'])
  })

  it('that works for another session is tried within a minute', async () => {
    const world = createWorld()
    await recordSession(world, { number: 1, chunks: 5 })
    world.server.fault = () => ({ code: 'sign-in-needed' })
    await wakeUntil(world, world.clock.now() + 2 * HOUR_MS)
    world.server.fault = () => undefined
    await recordSession(world, { number: 2 })
    const startMs = world.clock.now()
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 5)
    // One within a minute, then the others within another.
    expect(world.clock.now() - startMs).toBeLessThan(150_000)
  })

  // Promise 5 of docs/guarantees.md.
  it('that works for another session alone is tried by one chunk a minute, not by all', async () => {
    const world = createWorld()
    await recordSession(world, { number: 1, chunks: 20 })
    const forbidden = new Set(
      (await world.chunks(id)).map(({ state }) => ('seal' in state ? state.seal.cid : '')),
    )
    world.server.fault = (_op, of) => (forbidden.has(of as never) ? { code: 'sign-in-needed' } : undefined)
    const other = await recordSession(world, { number: 2, chunks: 0, ending: 'recording' })
    world.locks.hold(recordingLockName(other))
    const drain = createDrain(world.worker())
    for (let index = 0; index < 60; index++) {
      await admitChunk(world.worker(), await sealedChunk(other, index))
      void drain.join('message')
      await world.clock.advance(20_000)
    }
    const asked = world.server.ledger.filter(({ of }) => forbidden.has(of as never)).length
    expect(asked).toBeGreaterThan(20 + 10)
    expect(asked).toBeLessThanOrEqual(20 + 21)
  })

  it('of one chunk does not hurry a publication that is parked for another reason', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    const [forbidden] = await world.chunks(id)
    const cid = forbidden && 'seal' in forbidden.state ? forbidden.state.seal.cid : ''
    world.server.fault = (_op, of) => (of === cid ? { code: 'sign-in-needed' } : undefined)
    world.chain.fault = (op) => (op === 'submit' ? { code: 'anchor-rejected' } : undefined)
    await wakeUntil(world, world.clock.now() + 2 * HOUR_MS)
    expect(world.server.ledger.filter(({ of }) => of === cid).length).toBeGreaterThan(3)
    // By its own pace: after 1, 2, 4, 8 … minutes at the longest.
    expect(world.chain.submits()).toBeLessThanOrEqual(12)
  })

  it('is tried at once when the app resumes the session', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    world.server.fault = () => ({ code: 'sign-in-needed' })
    await drainOnce(world, world.worker(), 'push')
    world.server.fault = () => undefined
    const startMs = world.clock.now()
    await resumeSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 2)
    expect(world.clock.now() - startMs).toBeLessThan(30_000)
  })
})

describe('the budget', () => {
  it('is used where the browser never answers to a wake that is asked for', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 6 })
    const worker = {
      ...world.worker(),
      wake: { arm: () => new Promise<void>(() => {}), isLast: async () => false },
    }
    world.server.latencyMs = 100
    void createDrain(worker).join('message')
    await world.clock.advance(120_000)
    expect(await world.statuses(id)).toEqual(Array(6).fill('confirmed'))
  })

  it.each(['sync', 'push', 'message'] as const)('of %s ends the drain with work-remains', async (kind) => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    world.server.latencyMs = 10_000_000
    const startMs = world.clock.now()
    expect(await drainOnce(world, world.worker(), kind)).toBe('work-remains')
    expect(world.clock.now() - startMs).toBeLessThanOrEqual(BUDGETS_MS[kind])
  })

  // Promise 9 of docs/guarantees.md.
  it('stops what is under way when it is over, not later, and spends no attempt on it', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    let stoppedAtMs = 0
    worker.transport.send = (_upload, _bytes, _held, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          stoppedAtMs = world.clock.now()
          reject(new HoldfastError('aborted', 'Stopped.'))
        })
      })
    const startMs = world.clock.now()
    const drain = createDrain(worker)
    void drain.join('push')
    await world.clock.advance(7_000)
    drain.notify()
    await world.clock.advance(100_000)
    expect(stoppedAtMs - startMs).toBe(BUDGETS_MS.push)
    const [chunk] = await world.chunks(id)
    expect(chunk).toMatchObject({ retryCount: 0, state: { status: 'uploading', sent: true } })
  })

  // Promise 9 of docs/guarantees.md.
  it('starts nothing new near its end', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 30 })
    world.server.latencyMs = 9_000
    const startMs = world.clock.now()
    expect(await drainOnce(world, world.worker(), 'push')).toBe('work-remains')
    expect(world.clock.now() - startMs).toBeLessThan(BUDGETS_MS.push)
    expect(world.server.ledger.at(-1)?.atMs).toBeLessThan(startMs + BUDGETS_MS.push)
  })

  it('is that of the wake, not what is left of an earlier one', async () => {
    const world = createWorld()
    const worker = world.worker()
    const drain = createDrain(worker)
    await world.clock.runUntil(drain.join('message'))
    await recordSession(world)
    world.server.fault = () => ({ code: 'unreachable' })
    const startMs = world.clock.now()
    const joined = drain.join('push')
    await world.clock.runUntil(joined)
    await world.clock.advance(30_000)
    expect(world.server.ledger.at(-1)?.atMs).toBeLessThanOrEqual(startMs + BUDGETS_MS.push)
  })

  // Promise 9 of docs/guarantees.md.
  it('grows when a wake joins that may run longer', async () => {
    const world = createWorld()
    await recordSession(world)
    world.server.fault = () => ({ code: 'unreachable' })
    const drain = createDrain(world.worker())
    const startMs = world.clock.now()
    const push = drain.join('push')
    await world.clock.advance(1_000)
    const message = drain.join('message')
    await world.clock.runUntil(push)
    expect(world.clock.now() - startMs).toBeLessThanOrEqual(BUDGETS_MS.push)
    await world.clock.runUntil(message)
    expect(world.server.ledger.at(-1)?.atMs).toBeGreaterThan(startMs + 200_000)
  })
})

describe('one at a time', () => {
  it('joins the drain that runs, in this worker', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    const drain = createDrain(world.worker())
    await world.clock.runUntil(
      Promise.all([drain.join('message'), drain.join('sync'), drain.join('startup')]),
    )
    expect([...world.server.stored.values()]).toEqual([1, 1, 1, 1])
  })

  it('waits for the drain of another worker version', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    world.server.latencyMs = 500
    const both = [createDrain(world.worker()).join('message'), createDrain(world.worker()).join('message')]
    await world.clock.runUntil(Promise.all(both))
    expect(await Promise.all(both)).toEqual(['idle', 'idle'])
    expect([...world.server.stored.values()]).toEqual([1, 1, 1, 1])
    expect(world.server.ledger.filter(({ op }) => op === 'probe')).toEqual([])
  })

  it('takes over when another worker dies in the middle of it', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    world.server.latencyMs = 500
    const dying = world.worker()
    void createDrain(dying).join('message')
    const joined = createDrain(world.worker()).join('message')
    await world.clock.advance(100)
    dying.life.die()
    await world.clock.runUntil(joined)
    expect(await joined).toBe('idle')
    await expectThrough(world)
  })

  it('loses no work that comes in just after it looked for the last time', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'interrupted' })
    const worker = world.worker()
    const { read } = worker.store
    let late: Promise<unknown> | undefined
    worker.store.read = async (work) => {
      const seen = await read(work)
      if (late === undefined && (await world.session(id)).open === undefined) {
        await admitChunk(world.worker(), await sealedChunk(id, 1))
        late = drain.join('message')
      }
      return seen
    }
    const drain = createDrain(worker)
    await world.clock.runUntil(drain.join('message'))
    if (late) await world.clock.runUntil(late)
    expect(await late).toBe('idle')
    await expectThrough(world, id, 2)
  })

  it('loses no work that comes in any few turns after it finished', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const world = createWorld()
      await recordSession(world, { ending: 'interrupted' })
      const drain = createDrain(world.worker())
      const handed = await sealedChunk(id, 1)
      const late = drain.join('message').then(async () => {
        for (let turn = 0; turn < turns; turn++) await Promise.resolve()
        await admitChunk(world.worker(), handed)
        return drain.join('message')
      })
      await world.clock.runUntil(late)
      expect(await late).toBe('idle')
      await expectThrough(world, id, 2)
    }
  })

  it('queues no third drain behind the one that was joined while the last one finished', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    world.locks.hold(recordingLockName(id))
    const worker = world.worker()
    const { run } = worker.lock
    let runs = 0
    worker.lock.run = (name, work) =>
      ++runs > 1 ? run(name, work) : run(name, () => work().finally(joinAgain))
    const joinAgain = () => void drain.join('message')
    const drain = createDrain(worker)
    void drain.join('push')
    await world.clock.advance(BUDGETS_MS.push)
    expect(runs).toBe(2)
    void drain.join('message')
    expect(runs).toBe(2)
  })

  it('starts what was handed over while it waits, at once', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    world.locks.hold(recordingLockName(id))
    const drain = createDrain(world.worker())
    void drain.join('message')
    await world.clock.advance(5_000)
    await admitChunk(world.worker(), await sealedChunk(id, 1))
    const beforeMs = world.clock.now()
    void drain.join('message')
    await world.clock.advance(0)
    expect(await world.statuses(id)).toEqual(['uploaded', 'uploaded'])
    expect(world.clock.now()).toBe(beforeMs)
  })
})

describe('the dead-man switch', () => {
  // Promise 8 of docs/guarantees.md.
  it('closes and anchors a recording whose page died, with no page and no tap', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2, ending: 'recording' })
    const die = world.locks.hold(recordingLockName(id))
    const joined = createDrain(world.worker()).join('message')
    await world.clock.advance(5_000)
    expect((await world.session(id)).ending).toBe('recording')
    die()
    await world.clock.runUntil(joined)
    expect(await joined).toBe('idle')
    expect((await world.session(id)).ending).toBe('interrupted')
    await expectThrough(world, id, 2)
  })

  it('takes a recording for dead whose lock nobody holds when the worker starts', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    expect(await drainOnce(world, world.worker(), 'startup')).toBe('idle')
    expect((await world.session(id)).ending).toBe('interrupted')
    await expectThrough(world, id, 1)
  })

  it('leaves a recording alone that ended in time', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    const release = world.locks.hold(recordingLockName(id))
    const joined = createDrain(world.worker()).join('message')
    await world.clock.advance(1_000)
    await endSession(world.worker(), id)
    release()
    await world.clock.runUntil(joined)
    await expectThrough(world, id, 1)
    expect((await world.session(id)).ending).toBe('complete')
  })

  it('believes a page that ends its recording after all, and publishes that', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'interrupted' })
    await drainOnce(world, world.worker())
    expect((await world.session(id)).anchored?.ending).toBe('interrupted')
    await endSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 1)
    expect(world.chain.submits()).toBe(2)
  })

  it('takes a late chunk of an interrupted session, settled or not, and publishes again', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'interrupted' })
    await drainOnce(world, world.worker())
    expect(await world.session(id)).not.toHaveProperty('open')
    await admitChunk(world.worker(), await sealedChunk(id, 1))
    expect((await world.session(id)).open).toBeDefined()
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 2)
    expect(world.chain.entries.at(-1)?.request.chunkCount).toBe(2)
  })

  it('publishes while the recording goes on, at most every half minute', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 0, ending: 'recording' })
    world.locks.hold(recordingLockName(id))
    const drain = createDrain(world.worker())
    for (let index = 0; index < 40; index++) {
      await admitChunk(world.worker(), await sealedChunk(id, index))
      void drain.join('message')
      await world.clock.advance(3_000)
    }
    expect(world.chain.submits()).toBeOneOf([3, 4])
    expect((await world.statuses(id)).slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'confirmed'))
  })
})

describe('a pause', () => {
  it('stops uploads and publications, and resuming goes on', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    await pauseSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(world.server.ledger).toEqual([])
    await resumeSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 2)
  })

  it('holds a publication that is in flight', async () => {
    const world = createWorld()
    await recordSession(world)
    world.chain.fault = () => ({ code: 'server-error' })
    await drainOnce(world, world.worker(), 'push')
    await pauseSession(world.worker(), id)
    world.chain.fault = () => undefined
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(world.chain.entries).toEqual([])
    await resumeSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 1)
  })
})
