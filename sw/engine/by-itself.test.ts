import { describe, expect, it, test } from 'vitest'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import { admitChunk } from './admit.ts'
import { createDrain } from './drain.ts'
import { createEngine } from './engine.ts'
import { endSession, startSession } from './sessions.ts'
import {
  aStart,
  cidOf,
  createWorld,
  drainOnce,
  recordSession,
  sealedChunk,
  sessionIdOf,
  type World,
} from '../testing/world.ts'
import { reply } from './requests.ts'
import { sampleOf, takesWhole } from '../../e2e/test-size.ts'

// Promises 5, 6 of docs/guarantees.md: a device that nobody touches any more gets out of it by itself.

const id = sessionIdOf(1)
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

type Worker = ReturnType<World['worker']>

/** Wakes with no page, one after the other, until so much time has passed. */
async function wakeFor(world: World, ms: number, worker: () => Worker = () => world.worker()) {
  const untilMs = world.clock.now() + ms
  while (world.clock.now() < untilMs) {
    if ((await drainOnce(world, worker(), 'sync')) === 'idle') return
    await world.clock.advance(5 * MINUTE_MS)
  }
}

test('a store that refused everything for a minute gets all of it, with no visit', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 20 })
  const beganMs = world.clock.now()
  world.server.fault = () =>
    world.clock.now() - beganMs < MINUTE_MS ? { code: 'rejected-by-store' } : undefined
  await wakeFor(world, HOUR_MS)
  expect(await world.statuses(id)).toEqual(Array(20).fill('confirmed'))
  // One chunk, and the page, were tried for all of them.
  expect(world.server.ledger.filter(({ op }) => op === 'send').length).toBeLessThanOrEqual(21 + 21 + 3)
})

test('a store that takes chunks for other ones gets a few copies, not one a minute, and all of it once it is well', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 20 })
  const beganMs = world.clock.now()
  world.server.fault = (op) =>
    op === 'send' && world.clock.now() - beganMs < 2 * HOUR_MS ? { code: 'address-mismatch' } : undefined
  await wakeFor(world, 2 * HOUR_MS)
  // Each chunk and the page, then one chunk and the page at each trial.
  expect(world.server.ledger.filter(({ op }) => op === 'send').length).toBeLessThanOrEqual(21 * 6 + 2 * 10)
  expect(await world.session(id)).toMatchObject({ trouble: { error: { code: 'address-mismatch' } } })
  await wakeFor(world, 4 * HOUR_MS)
  expect(await world.statuses(id)).toEqual(Array(20).fill('confirmed'))
})

test('a store that refuses everything for a day is asked a few times, not once for each chunk', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 20 })
  world.server.fault = () => ({ code: 'rejected-by-store' })
  await wakeFor(world, DAY_MS)
  // Some chunks and the page, then one that was refused, one that waits with it and the page at each trial.
  expect(world.server.ledger.length).toBeLessThanOrEqual(10 + 3 * 20)
  expect(await world.session(id)).toMatchObject({
    trouble: { error: { code: 'rejected-by-store' } },
    trials: { refusal: { retryAtMs: expect.any(Number) } },
  })
})

test('a visit is a trial; a page that stays open is none', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 1 })
  world.server.fault = () => ({ code: 'rejected-by-store' })
  await wakeFor(world, 3 * HOUR_MS)
  const before = world.server.ledger.length
  const hello = (again: boolean) =>
    reply(world.worker(), { holdfast: PROTOCOL_VERSION, type: 'hello', again })
  await hello(true)
  await drainOnce(world, world.worker(), 'push')
  expect(world.server.ledger.length).toBe(before)
  await hello(false)
  await drainOnce(world, world.worker(), 'push')
  // The chunk, and the page that lists it.
  expect(world.server.ledger.length).toBe(before + 2)
})

test('while bytes cost money no chunk that was refused is sent again to see', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 2 })
  world.server.fault = () => ({ code: 'rejected-by-store' })
  await drainOnce(world, world.worker(), 'push')
  const [first, second] = (await world.chunks(id)).map(cidOf)
  const asked = () => world.server.ledger.filter(({ of }) => of === first || of === second).length
  const before = asked()
  world.network.metered = true
  await wakeFor(world, 3 * HOUR_MS)
  expect(asked()).toBe(before)
  world.network.metered = false
  world.server.fault = () => undefined
  await wakeFor(world, 12 * HOUR_MS)
  expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
})

test('while bytes cost money a sign-in that works again is noticed, by one chunk at a time', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 20 })
  world.network.metered = true
  world.server.fault = () => ({ code: 'sign-in-needed' })
  await wakeFor(world, 2 * HOUR_MS)
  // Each chunk and the page, then one chunk and the page at each trial.
  expect(world.server.ledger.length).toBeLessThan(21 + 2 * 20)
  world.server.fault = () => undefined
  await wakeFor(world, 3 * HOUR_MS)
  expect(await world.statuses(id)).toEqual(Array(20).fill('confirmed'))
})

test.each(['read', 'submit'] as const)(
  'while bytes cost money a chain that refused a %s is asked again',
  async (what) => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    world.network.metered = true
    const beganMs = world.clock.now()
    world.chain.fault = (op) =>
      op === what && world.clock.now() - beganMs < MINUTE_MS ? { code: 'anchor-rejected' } : undefined
    await wakeFor(world, HOUR_MS)
    expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
  },
)

test.each(['paused', 'unmetered'] as const)(
  'under %s what could not be sealed once is sealed all the same',
  async (policy) => {
    const world = createWorld()
    world.network.metered = true
    await recordSession(world, { seal: 'worker' })
    await reply(world.worker(), { holdfast: PROTOCOL_VERSION, type: 'policy', policy })
    let tries = 0
    const worker = () => {
      const plain = world.worker()
      const sealer: typeof plain.sealer = async (...args) => {
        if (tries++ === 0) throw new Error('Out of memory.')
        await plain.sealer?.(...args)
      }
      return { ...plain, sealer }
    }
    await wakeFor(world, 10 * MINUTE_MS, worker)
    expect(await world.statuses(id)).toEqual(['uploading'])
    expect(world.server.ledger).toEqual([])
  },
)

describe('a store that refuses what it gets', () => {
  const hourOf = async (world: World, untilMs = world.clock.now() + HOUR_MS) => {
    const worker = world.worker()
    const drain = createDrain(worker)
    while (world.clock.now() < untilMs) {
      void drain.join('message')
      await world.clock.advance(MINUTE_MS)
    }
    worker.lifetime.die()
  }
  const sends = (world: World) => world.server.ledger.filter(({ op }) => op === 'send').length

  it('of a recording that goes on gets a few of its chunks, and all of them once it takes them', async () => {
    const world = createWorld()
    world.server.latencyMs = 200
    await startSession(world.worker(), aStart())
    world.server.fault = () => ({ code: 'rejected-by-store' })
    const worker = world.worker()
    const drain = createDrain(worker)
    for (let index = 0; index < 60; index++) {
      await admitChunk(worker, await sealedChunk(id, index))
      void drain.join('message')
      await world.clock.advance(1_000)
    }
    expect(sends(world)).toBeLessThanOrEqual(8)
    await endSession(worker, id)
    worker.lifetime.die()
    world.server.fault = () => undefined
    await hourOf(world)
    expect(await world.statuses(id)).toEqual(Array(60).fill('confirmed'))
  })

  it('for itself, be it every fourth, or the first ten, keeps no other chunk waiting for long', async () => {
    for (const isOdd of [(at: number) => at % 4 === 0, (at: number) => at < 10]) {
      const world = createWorld()
      await recordSession(world, { chunks: 40 })
      const odd = new Set((await world.chunks(id)).filter((_of, at) => isOdd(at)).map(cidOf))
      world.server.fault = (_op, of) => (odd.has(of) ? { code: 'rejected-by-store' } : undefined)
      await hourOf(world, world.clock.now() + 5 * MINUTE_MS)
      const left = (await world.chunks(id)).filter(({ state }) => state.status === 'uploading')
      expect(left.map(cidOf).every((cid) => odd.has(cid))).toBe(true)
    }
  })

  it('one of its chunks again and again, for hours, keeps none that comes later waiting', async () => {
    const world = createWorld()
    const worker = world.worker()
    await startSession(worker, aStart())
    await admitChunk(worker, await sealedChunk(id, 0))
    const odd = cidOf((await world.chunks(id))[0])
    world.server.fault = (_op, of) => (of === odd ? { code: 'rejected-by-store' } : undefined)
    await hourOf(world, world.clock.now() + 6 * HOUR_MS)
    await admitChunk(worker, await sealedChunk(id, 1))
    await hourOf(world, world.clock.now() + 2 * MINUTE_MS)
    expect((await world.statuses(id))[1]).toBe('confirmed')
  })

  it('of many sessions is asked for one of them at a time, and one odd session keeps none waiting', async () => {
    const sessions = takesWhole() ? 20 : 8
    const world = createWorld()
    for (let number = 1; number <= sessions; number++) await recordSession(world, { number, chunks: 2 })
    world.server.fault = () => ({ code: 'rejected-by-store' })
    await hourOf(world, world.clock.now() + MINUTE_MS / 2)
    const before = sends(world)
    await hourOf(world)
    // Each once by itself, as it is asked ever more rarely, and a few for all of them before.
    expect(sends(world) - before).toBeLessThanOrEqual(sessions * 4)
    const odd = new Set((await world.chunks(id)).map(cidOf))
    world.server.fault = (_op, of) => (odd.has(of) ? { code: 'rejected-by-store' } : undefined)
    await hourOf(world, world.clock.now() + 3 * HOUR_MS)
    for (let number = 2; number <= sessions; number++)
      expect(await world.statuses(sessionIdOf(number)), `session ${number}`).toEqual([
        'confirmed',
        'confirmed',
      ])
  })
})

describe('a store that refuses questions', () => {
  /** Of each session its chunks have left before, and nobody knows what became of them. */
  async function sentBefore(sessions: number, chunks: number) {
    const world = createWorld()
    for (let number = 1; number <= sessions; number++) await recordSession(world, { number, chunks })
    await world.disk.write(async (tx) => {
      for (let number = 1; number <= sessions; number++)
        for (const chunk of await tx.chunksOf(sessionIdOf(number)))
          await tx.putChunk({ ...chunk, effort: { ...chunk.effort!, sent: true } })
    })
    return world
  }
  const questions = (world: World) => world.server.ledger.filter(({ op }) => op === 'probe').length

  it.each([
    [1, 20, 'rejected-by-store'],
    [1, 20, 'bad-answer'],
    [10, 2, 'rejected-by-store'],
  ] as const)(
    'about %i × %i chunks is asked ever more rarely, at each visit, and about all of them once it answers: %s',
    async (sessions, chunks, code) => {
      const world = await sentBefore(sessions, chunks)
      world.server.fault = (op) => (op === 'probe' ? { code } : undefined)
      await wakeFor(world, HOUR_MS / 6)
      const before = questions(world)
      await wakeFor(world, 6 * HOUR_MS)
      // Each session's one page waits a minute at the most; its chunks have one trial for all of them.
      expect(questions(world) - before).toBeLessThanOrEqual(sessions * 12)
      await reply(world.worker(), { holdfast: PROTOCOL_VERSION, type: 'hello' })
      const atVisit = questions(world)
      await drainOnce(world, world.worker(), 'push')
      expect(questions(world)).toBeGreaterThan(atVisit)
      world.server.fault = () => undefined
      await reply(world.worker(), { holdfast: PROTOCOL_VERSION, type: 'hello' })
      await wakeFor(world, HOUR_MS / 6)
      for (let number = 1; number <= sessions; number++)
        expect(await world.statuses(sessionIdOf(number))).toEqual(Array(chunks).fill('confirmed'))
    },
  )

  it('for some minutes while bytes cost money gets all of it meanwhile', async () => {
    const world = await sentBefore(1, 6)
    world.network.metered = true
    world.server.fault = (op) => (op === 'probe' ? { code: 'rejected-by-store' } : undefined)
    await wakeFor(world, 5 * MINUTE_MS)
    world.server.fault = () => undefined
    await wakeFor(world, HOUR_MS / 6)
    expect(await world.statuses(id)).toEqual(Array(6).fill('confirmed'))
  })

  it('about one chunk keeps no other waiting', async () => {
    const world = await sentBefore(2, 6)
    const odd = cidOf((await world.chunks(id))[0])
    world.server.fault = (op, of) => (of === odd ? { code: 'rejected-by-store' } : undefined)
    await wakeFor(world, 2 * MINUTE_MS)
    expect((await world.statuses(id)).slice(1)).toEqual(Array(5).fill('confirmed'))
    expect(await world.statuses(sessionIdOf(2))).toEqual(Array(6).fill('confirmed'))
  })
})

test('a storm of visits is no storm of requests', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 20 })
  world.server.fault = () => ({ code: 'unreachable' })
  const worker = world.worker()
  const drain = createDrain(worker)
  for (let times = 0; times < 200; times++) {
    await reply(worker, { holdfast: PROTOCOL_VERSION, type: 'hello' })
    void drain.join('message')
    await world.clock.advance(50)
  }
  expect(world.server.ledger.length).toBeLessThan(40)
})

test('visits with something parked write once, not each time', async () => {
  const world = createWorld()
  await recordSession(world)
  world.server.fault = () => ({ code: 'rejected-by-store' })
  await drainOnce(world, world.worker(), 'push')
  let writes = 0
  for (let times = 0; times < 10; times++) {
    const { store, ...rest } = world.worker()
    const write: typeof store.write = (work, needs) => {
      writes++
      return store.write(work, needs)
    }
    await reply({ ...rest, store: { ...store, write } }, { holdfast: PROTOCOL_VERSION, type: 'hello' })
  }
  expect(writes).toBeLessThanOrEqual(1)
})

test.each(['visit', 'resume'] as const)(
  'a clock half an hour ahead, then right, is mended by a %s',
  async (what) => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    let shiftMs = HOUR_MS / 2
    const worker = () => {
      const plain = world.worker()
      return { ...plain, clock: { ...plain.clock, now: () => world.clock.now() + shiftMs } }
    }
    const codes = ['unreachable', 'server-error', 'throttled'] as const
    let asked = 0
    world.server.fault = () => ({ code: codes[asked++ % codes.length] ?? 'timeout' })
    await drainOnce(world, worker(), 'push')
    shiftMs = 0
    world.server.fault = () => undefined
    await world.clock.advance(MINUTE_MS)
    const type = what === 'visit' ? 'hello' : what
    await reply(worker(), { holdfast: PROTOCOL_VERSION, type, sessionId: id })
    await drainOnce(world, worker(), 'push')
    expect(await world.statuses(id)).toEqual(Array(3).fill('confirmed'))
  },
)

test('bytes that could not be read for a while go up once they can', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 3 })
  const [bad] = await world.chunks(id)
  const untilMs = world.clock.now() + HOUR_MS
  const worker = () => {
    const plain = world.worker()
    const payload: typeof plain.store.payload = async (of) => {
      if (of === bad?.id && world.clock.now() < untilMs)
        throw new HoldfastError('payload-unreadable', 'The bytes cannot be read.')
      return plain.store.payload(of)
    }
    return { ...plain, store: { ...plain.store, payload } }
  }
  await wakeFor(world, DAY_MS, worker)
  expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed', 'confirmed'])
})

test('while a server asks for ten minutes, requests that go well do not open the way to it', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 60 })
  world.server.latencyMs = 1_000
  const worker = world.worker()
  const { send } = worker.transport
  const sentAtMs: number[] = []
  const beganMs = world.clock.now()
  worker.transport.send = async (...args) => {
    sentAtMs.push(world.clock.now() - beganMs)
    if (sentAtMs.length % 2 === 1)
      throw new HoldfastError('throttled', 'Later.', { retryAfterMs: 10 * MINUTE_MS })
    return send(...args)
  }
  await drainOnce(world, worker)
  // Those that were under way when it asked: three chunks and a page.
  expect(sentAtMs.filter((ms) => ms < 10 * MINUTE_MS).length).toBeLessThanOrEqual(4)
  // Nor does another worker, at a visit.
  await reply(world.worker(), { holdfast: PROTOCOL_VERSION, type: 'hello' })
  const before = world.server.ledger.length
  await drainOnce(world, world.worker(), 'push')
  expect(world.server.ledger.length).toBe(before)
})

// Promise 6 of docs/guarantees.md.
test.each(['bad-answer', 'address-mismatch', 'rejected-by-store', 'sign-in-needed'] as const)(
  'a store that says %s and asks for ten minutes is not asked by any chunk meanwhile, whatever visits come',
  async (code) => {
    const world = createWorld()
    await recordSession(world, { chunks: 30 })
    world.server.latencyMs = 100
    world.server.fault = () => ({ code, retryAfterMs: 10 * MINUTE_MS })
    const drain = createDrain(world.worker())
    for (let visits = 0; visits < 60; visits++) {
      await reply(world.worker(), { holdfast: PROTOCOL_VERSION, type: 'hello' })
      // The worker that comes next takes the lock from it, and it is told so.
      drain.join('message').catch(() => undefined)
      await world.clock.advance(9_000)
    }
    // Those that were under way when it asked: three chunks and a page.
    expect(world.server.ledger.length).toBeLessThanOrEqual(4)
    world.server.fault = () => undefined
    await wakeFor(world, HOUR_MS)
    expect(await world.statuses(id)).toEqual(Array(30).fill('confirmed'))
  },
)

describe.each([1, 365])('a clock that is %i days off', (days) => {
  it.each([
    ['ahead, then right', days],
    ['behind, then right', -days],
  ])('%s, costs no more than a wait', async (_what, off) => {
    const world = createWorld()
    await recordSession(world, { chunks: 4 })
    let shiftMs = off * DAY_MS
    const worker = () => {
      const plain = world.worker()
      return { ...plain, clock: { ...plain.clock, now: () => world.clock.now() + shiftMs } }
    }
    // Times of every kind are stored: a wait, a circuit, a trial, a publication.
    const codes = ['server-error', 'sign-in-needed', 'rejected-by-store'] as const
    let asked = 0
    world.server.fault = () => {
      const code = codes[asked++ % codes.length]
      return code && { code }
    }
    await drainOnce(world, worker(), 'push')
    shiftMs = 0
    world.server.fault = () => undefined
    await wakeFor(world, 8 * HOUR_MS, worker)
    expect(await world.statuses(id)).toEqual(Array(4).fill('confirmed'))
  })

  it('ahead, with a head under way, anchors it all the same', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    let shiftMs = days * DAY_MS
    const worker = () => {
      const plain = world.worker()
      return { ...plain, clock: { ...plain.clock, now: () => world.clock.now() + shiftMs } }
    }
    world.chain.fault = (op) => (op === 'submit' ? { code: 'server-error' } : undefined)
    await drainOnce(world, worker(), 'push')
    expect((await world.session(id)).witnessing.submittedAtMs).toBeGreaterThan(world.clock.now())
    shiftMs = 0
    world.chain.fault = () => undefined
    await wakeFor(world, HOUR_MS, worker)
    expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
  })
})

// Seen red: a wait of a minute lasted until a visit, and one that a server had asked for until the time that it had been.
test.each([2, 30, 59])(
  'a clock that is set back by %i minutes lets nothing wait for longer than it did',
  async (minutes) => {
    const world = createWorld()
    await recordSession(world, { chunks: 6 })
    let shiftMs = minutes * MINUTE_MS
    const plain = world.worker()
    const worker = { ...plain, clock: { ...plain.clock, now: () => world.clock.now() + shiftMs } }
    const faults = [
      { code: 'unreachable' },
      { code: 'address-mismatch' },
      { code: 'rejected-by-store' },
      { code: 'throttled', retryAfterMs: MINUTE_MS },
    ] as const
    let asked = 0
    world.server.fault = () => faults[asked++ % faults.length]
    const engine = createEngine(worker, Promise.resolve())
    const greet = async (ms: number) => {
      for (let at = 0; at < ms; at += 20_000) {
        void engine.receive({ holdfast: PROTOCOL_VERSION, type: 'hello', again: true }, () => undefined)
        await world.clock.advance(20_000)
      }
    }
    await greet(40_000)
    expect(asked).toBeGreaterThan(3)
    shiftMs = 0
    world.server.fault = () => undefined
    await greet(2 * MINUTE_MS)
    expect(await world.statuses(id)).toEqual(Array(6).fill('confirmed'))
  },
)

describe('a time that was stored', () => {
  /** What has it stored, until it is taken back. */
  const CAUSES: Readonly<Record<string, (world: World) => (() => void) | void>> = {
    'by a store that asks for an hour': ({ server }) => {
      server.fault = () => ({ code: 'throttled', retryAfterMs: HOUR_MS })
    },
    'by a store that is not understood': ({ server }) => {
      server.fault = () => ({ code: 'address-mismatch' })
    },
    'by a relay that refuses': ({ chain }) => {
      chain.fault = (op) => (op === 'submit' ? { code: 'anchor-rejected' } : undefined)
    },
    'by a relay that asks for an hour': ({ chain }) => {
      chain.fault = (op) => (op === 'submit' ? { code: 'throttled', retryAfterMs: HOUR_MS } : undefined)
    },
    'by a chain that cannot be read': ({ chain }) => {
      chain.fault = (op) => (op === 'read' ? { code: 'server-error' } : undefined)
    },
    'by a relay that takes it in vain': ({ chain }) => {
      const { entries } = chain
      const { push } = entries
      entries.push = () => 0
      return () => (entries.push = push)
    },
  }

  it.each(
    sampleOf(
      Object.keys(CAUSES).flatMap((cause) =>
        [
          [365, 0],
          [-365, 0],
          [1, 0, 365, 0],
          [-1, 0, -365, 0],
        ].map((days) => [cause, days] as const),
      ),
    ),
  )(
    '%s, under a clock that goes to and fro (days: %j), is waited for no longer than any',
    async (cause, days) => {
      const world = createWorld()
      let shiftMs = 0
      const worker = () => {
        const plain = world.worker()
        return { ...plain, clock: { ...plain.clock, now: () => world.clock.now() + shiftMs } }
      }
      await recordSession(world, { chunks: 4 })
      const takeBack = CAUSES[cause]?.(world)
      for (const off of days) {
        shiftMs = off * DAY_MS
        if (off !== 0) await drainOnce(world, worker(), 'push')
      }
      world.server.fault = world.chain.fault = () => undefined
      takeBack?.()
      await wakeFor(world, 2 * HOUR_MS, worker)
      expect(await world.statuses(id)).toEqual(Array(4).fill('confirmed'))
    },
  )
})

describe('a record that lacks something', () => {
  const without = <T extends object>(record: T, ...names: readonly string[]) =>
    Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name))) as T

  it.each(['name', 'access', 'tally'])(
    'sets a session apart that lacks its %s: it is told, keeps its bytes, and holds no other up',
    async (name) => {
      const world = createWorld()
      await recordSession(world, { chunks: 2 })
      const other = await recordSession(world, { number: 2, chunks: 2 })
      const session = await world.session(id)
      await world.disk.write((tx) => tx.putSession(without(session, name)))
      await wakeFor(world, HOUR_MS)
      expect(await world.statuses(other)).toEqual(['confirmed', 'confirmed'])
      for (const chunk of await world.chunks(id)) expect(await world.hasPayload(chunk)).toBe(true)
      // Whatever a person asks for.
      for (const type of ['sessions', 'resume', 'sessions'] as const) {
        const told = await reply(world.worker(), { holdfast: PROTOCOL_VERSION, type, sessionId: id })
        const value = told.ok ? [told.value].flat() : []
        expect(value).toContainEqual(
          expect.objectContaining({ id, lastError: expect.objectContaining({ code: 'defect' }) }),
        )
      }
      await wakeFor(world, HOUR_MS)
      expect(await world.session(id)).toMatchObject({ damaged: true, paused: true })
      for (const chunk of await world.chunks(id)) expect(await world.hasPayload(chunk)).toBe(true)
    },
  )
})
