import { describe, expect, it } from 'vitest'
import { recordingLockName } from '../../src/protocol/messages.ts'
import { expectThrough } from '../testing/expect-through.ts'
import {
  cidOf,
  createWorld,
  drainOnce,
  recordSession,
  sealedChunk,
  sessionIdOf,
  type World,
} from '../testing/world.ts'
import { admitChunk } from './admit.ts'
import { createDrain } from './drain.ts'
import { resumeSession } from './sessions.ts'

const id = sessionIdOf(1)

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
      tally: { uploading: 20 },
      heldBack: true,
      trouble: { error: { code: 'sign-in-needed' } },
      trials: { 'sign-in': { failures: expect.any(Number) } },
    })
    // Three stand for all of a backlog, and each trial is one request.
    expect(world.server.ledger.length).toBeGreaterThan(4 + 4)
    expect(world.server.ledger.length).toBeLessThan(4 + 30)

    world.server.fault = () => undefined
    const backMs = world.clock.now()
    expect(await wakeUntil(world, backMs + 2 * HOUR_MS)).toBe('idle')
    await expectThrough(world, id, 20)
    await expectThrough(world, sessionIdOf(2), 1)
    for (const number of [1, 2]) {
      const session = await world.session(sessionIdOf(number))
      expect(session.trials).toBeUndefined()
      expect(session.trouble).toBeUndefined()
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
    const cid = cidOf(forbidden)
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
    const cid = cidOf(forbidden)
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
    const forbidden = new Set((await world.chunks(id)).map(cidOf))
    world.server.fault = (_op, of) => (forbidden.has(of) ? { code: 'sign-in-needed' } : undefined)
    const other = await recordSession(world, { number: 2, chunks: 0, ending: 'recording' })
    world.locks.hold(recordingLockName(other))
    const drain = createDrain(world.worker())
    for (let index = 0; index < 60; index++) {
      await admitChunk(world.worker(), await sealedChunk(other, index))
      void drain.join('message')
      await world.clock.advance(20_000)
    }
    const asked = world.server.ledger.filter(({ of }) => forbidden.has(of)).length
    expect(asked).toBeGreaterThan(3 + 10)
    expect(asked).toBeLessThanOrEqual(3 + 21)
  })

  it('of one chunk does not hurry a publication that is parked for another reason', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    const [forbidden] = await world.chunks(id)
    const cid = cidOf(forbidden)
    world.server.fault = (_op, of) => (of === cid ? { code: 'sign-in-needed' } : undefined)
    world.chain.fault = (op) => (op === 'submit' ? { code: 'anchor-rejected' } : undefined)
    await wakeUntil(world, world.clock.now() + 2 * HOUR_MS)
    expect(world.server.ledger.filter(({ of }) => of === cid).length).toBeGreaterThan(3)
    // On its own schedule: after 1, 2, 4, 8 … minutes at the longest, by chance sooner.
    expect(world.chain.submits()).toBeLessThanOrEqual(14)
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

  // Promise 5 of docs/guarantees.md.
  describe('that comes after a person has resumed, of what was under way then,', () => {
    /** A drain whose requests are refused where they left before this time, each after five seconds. */
    async function resumedAfter(world: World, resumes: number, refuses: () => boolean) {
      void createDrain(world.worker()).join('message')
      for (let nth = 0; nth < resumes; nth++) {
        await world.clock.advance(1_000)
        await resumeSession(world.worker(), id)
      }
      while (refuses()) await world.clock.advance(500)
      await world.clock.advance(20_000)
    }

    it.each([
      ['sign-in-needed', 1],
      ['sign-in-needed', 3],
      ['rejected-by-store', 1],
      ['bad-answer', 1],
    ] as const)('%s, parks nothing: all of it is tried at once (%i times)', async (code, resumes) => {
      const world = createWorld()
      await recordSession(world, { chunks: 5 })
      world.server.latencyMs = 5_000
      const startMs = world.clock.now()
      const refuses = () => world.clock.now() - startMs < 6_000
      world.server.fault = () => (refuses() ? { code } : undefined)
      await resumedAfter(world, resumes, refuses)
      const session = await world.session(id)
      expect(session).toMatchObject({ parked: 0, trouble: undefined, trials: undefined })
      // What three lanes had, and the log's page.
      expect(world.server.ledger.filter(({ taken }) => !taken).length).toBeLessThanOrEqual(4)
      await world.clock.advance(20_000)
      expect(await world.statuses(id)).toEqual(Array(5).fill('confirmed'))
    })

    it('is told and parked as before where it comes again', async () => {
      const world = createWorld()
      await recordSession(world, { chunks: 2 })
      world.server.latencyMs = 5_000
      world.server.fault = () => ({ code: 'sign-in-needed' })
      void createDrain(world.worker()).join('message')
      await world.clock.advance(1_000)
      await resumeSession(world.worker(), id)
      await world.clock.advance(20_000)
      expect(await world.session(id)).toMatchObject({
        parked: 2,
        trouble: { error: { code: 'sign-in-needed' } },
      })
      // Two chunks and a page, twice.
      expect(world.server.ledger.length).toBeLessThanOrEqual(6)
    })
  })
})
