import { describe, expect, it } from 'vitest'
import { PROTOCOL_VERSION, type RequestType } from '../../src/protocol/messages.ts'
import { recordFailure } from './circuits.ts'
import { createDrain } from './drain.ts'
import { circuitOf } from '../health/stored-circuits.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { SessionSnapshot } from '../../src/protocol/snapshot.ts'
import { reply } from './requests.ts'
import { aStart, createWorld, drainOnce, recordSession, sealedChunk, sessionIdOf } from '../testing/world.ts'

/** What a page that asks for all sessions is told. */
async function sessionsShown(world: ReturnType<typeof createWorld>) {
  const told = await reply(world.worker(), message('sessions'))
  if (!told.ok) throw new Error(told.error.message)
  return told.value as SessionSnapshot[]
}

const id = sessionIdOf(1)
const message = (type: RequestType, body: object = {}) => ({ holdfast: PROTOCOL_VERSION, type, ...body })

describe('reply', () => {
  it('answers the course of a recording', async () => {
    const world = createWorld()
    const ask = (type: RequestType, body?: object) => reply(world.worker(), message(type, body))
    expect(await ask('hello')).toEqual({
      ok: true,
      value: { protocol: PROTOCOL_VERSION, workRemains: false },
    })
    expect(await ask('session-start', { session: aStart() })).toMatchObject({
      ok: true,
      value: { id, ending: 'recording', upload: 'publishing' },
    })
    expect(await ask('chunk', { chunk: await sealedChunk(id, 0) })).toEqual({
      ok: true,
      value: { acknowledged: `${id}/0` },
    })
    const note = { sessionId: id, index: 0, atMs: 5, sealed: 'ab' }
    expect(await ask('note', note)).toMatchObject({ ok: true, value: { id } })
    expect(await world.session(id)).toMatchObject({ size: 3, notes: 1 })
    expect(await ask('sessions')).toMatchObject({ ok: true, value: [{ id, chunks: { uploading: 1 } }] })
    expect(await ask('chunks', { sessionId: id })).toMatchObject({
      ok: true,
      value: [{ id: `${id}/0`, status: 'uploading', parked: false }],
    })
    expect(await ask('pause', { sessionId: id })).toMatchObject({ ok: true, value: { paused: true } })
    expect(await ask('resume', { sessionId: id })).toMatchObject({ ok: true, value: { paused: false } })
    const end = (how?: string) => ask('session-end', { sessionId: id, indexes: 1, how })
    expect(await end('interrupted')).toMatchObject({ value: { ending: 'interrupted', upload: 'uploading' } })
    // Whoever knows better may still say so.
    expect(await end()).toMatchObject({ ok: true, value: { ending: 'complete', upload: 'uploading' } })
    await drainOnce(world, world.worker())
    expect(await ask('sessions')).toMatchObject({
      ok: true,
      value: [{ ending: 'complete', upload: 'confirmed' }],
    })
    expect(await ask('log', { sessionId: id })).toMatchObject({
      ok: true,
      value: expect.arrayContaining([expect.objectContaining({ index: 0, to: 'confirmed' })]),
    })
    expect(await ask('log', { sessionId: sessionIdOf(2) })).toEqual({ ok: true, value: [] })
    world.announced.length = 0
    expect(await ask('discard', { sessionId: id })).toEqual({ ok: true, value: { discarded: id } })
    expect(world.announced).toEqual([id])
  })

  it('can always be cloned to the page', async () => {
    const world = createWorld()
    const replies = [
      await reply(world.worker(), message('session-start', { session: aStart() })),
      await reply(world.worker(), message('chunks', { sessionId: id })),
      await reply(world.worker(), { holdfast: 99 }),
    ]
    for (const one of replies) expect(structuredClone(one)).toEqual(one)
  })

  it.each([
    { data: undefined, code: 'bad-message' },
    { data: message('chunk', { chunk: {} }), code: 'bad-message' },
    { data: { holdfast: 99, type: 'hello' }, code: 'protocol-mismatch' },
    { data: message('session-end', { sessionId: id }), code: 'unknown-session' },
    { data: message('pause', { sessionId: id }), code: 'unknown-session' },
  ])('refuses with $code and changes nothing', async ({ data, code }) => {
    const world = createWorld()
    expect(await reply(world.worker(), data)).toMatchObject({ ok: false, error: { code } })
    expect(await world.disk.read(async (tx) => [await tx.sessions(), await tx.log(9)])).toEqual([[], []])
    expect(world.announced).toEqual([])
  })

  it('takes what the store throws unforeseen for a defect, and still answers', async () => {
    const worker = createWorld().worker()
    const broken = {
      ...worker,
      store: { ...worker.store, read: () => Promise.reject(new TypeError('Oops')) },
    }
    expect(await reply(broken, message('sessions'))).toEqual({
      ok: false,
      error: { code: 'defect', message: 'Oops' },
    })
  })

  it('has the servers asked again at once on hello: a person is there, or the network came back', async () => {
    const world = createWorld()
    const worker = world.worker()
    for (const of of ['listing', 'witness'] as const)
      await recordFailure(worker, of, new HoldfastError('unreachable', 'Away.'))
    await reply(worker, message('hello'))
    for (const { name } of [worker.transport, worker.anchor])
      expect(
        (await world.disk.read((tx) => circuitOf(tx, name, world.clock.now()))).notBeforeMs,
      ).toBeLessThanOrEqual(world.clock.now())
  })

  it('has no server asked the sooner because somebody resumes a session that is not there', async () => {
    const world = createWorld()
    const worker = world.worker()
    const circuit = () => world.disk.read((tx) => circuitOf(tx, worker.transport.name, world.clock.now()))
    await recordFailure(worker, 'listing', new HoldfastError('unreachable', 'Away.'))
    const before = await circuit()
    expect(await reply(worker, message('resume', { sessionId: id }))).toMatchObject({
      error: { code: 'unknown-session' },
    })
    expect(await circuit()).toEqual(before)
  })

  // Promise 6 of docs/guarantees.md.
  it('tells of every session that a server asked for a wait, and until when', async () => {
    const world = createWorld()
    await recordSession(world, { number: 1 })
    const other = await recordSession(world, { number: 2 })
    const shown = async () =>
      (await sessionsShown(world)).map(({ lastError, retryAtMs }) => ({ code: lastError?.code, retryAtMs }))
    const asked = new HoldfastError('throttled', 'Come later.', { retryAfterMs: 600_000 })
    await recordFailure(world.worker(), 'listing', asked)
    world.announced.length = 0
    const waits = { code: 'throttled', retryAtMs: world.clock.now() + 600_000 }
    // A worker that has met it itself in no request.
    expect(await drainOnce(world, world.worker(), 'push')).toBe('work-remains')
    expect(await shown()).toEqual([waits, waits])
    expect(new Set(world.announced)).toEqual(new Set([id, other]))

    await world.clock.advance(600_000)
    await drainOnce(world, world.worker())
    expect(await shown()).toEqual([{}, {}])
  })

  // Promises 5, 6 of docs/guarantees.md.
  it.each([
    ['store', 'timeout', 20_000],
    ['store', 'server-error', 200],
    ['chain', 'timeout', 30_000],
    ['chain', 'server-error', 200],
  ] as const)(
    'tells of each of 30 sessions within two minutes that its %s does not answer: %s after %i ms',
    async (who, code, afterMs) => {
      const world = createWorld()
      for (let number = 1; number <= 30; number++) await recordSession(world, { number })
      const worker = world.worker()
      const { transport, anchor } = worker
      let isAway = true
      const or =
        <Of extends unknown[], T>(ask: (...of: Of) => Promise<T>) =>
        async (...of: Of) => {
          if (!isAway) return ask(...of)
          await world.clock.sleep(afterMs, new AbortController().signal)
          throw new HoldfastError(code, 'Away.')
        }
      if (who === 'chain') anchor.read = or(anchor.read)
      else [transport.probe, transport.send] = [or(transport.probe), or(transport.send)]
      void createDrain(worker).join('message')
      await world.clock.advance(120_000)
      for (const { lastError } of await sessionsShown(world)) expect(lastError).toBeDefined()
      isAway = false
      await world.clock.advance(120_000)
      for (const { upload, lastError } of await sessionsShown(world))
        expect({ upload, lastError }).toEqual({ upload: 'confirmed' })
    },
  )

  it.each([
    ['throttled', 3_600_000],
    ['throttled', 600_000],
    ['server-error', 0],
    ['unreachable', 0],
    ['sign-in-needed', 3_600_000],
  ] as const)(
    'tells since when its server fails, whatever visits come: %s, %i ms',
    async (code, retryAfterMs) => {
      const world = createWorld()
      await recordSession(world, { number: 1, chunks: 3 })
      await recordSession(world, { number: 2 })
      world.server.fault = () => ({ code, retryAfterMs })
      const beganMs = world.clock.now()
      await drainOnce(world, world.worker(), 'push')
      const [first] = await sessionsShown(world)
      for (let visits = 0; visits < 12; visits++) {
        await world.clock.advance(900_000)
        await reply(world.worker(), message('hello'))
        await drainOnce(world, world.worker(), 'push')
        for (const { failingSinceMs, lastError } of await sessionsShown(world)) {
          expect(lastError?.code).toBe(code)
          expect(failingSinceMs).toBeLessThan(beganMs + 60_000)
        }
      }
      expect((await sessionsShown(world))[0]).toMatchObject({ failingSinceMs: first!.failingSinceMs })
      world.server.fault = () => undefined
      await world.clock.advance(3_600_000)
      await reply(world.worker(), message('hello'))
      await drainOnce(world, world.worker())
      for (const { failingSinceMs, upload } of await sessionsShown(world))
        expect({ failingSinceMs, upload }).toEqual({ upload: 'confirmed' })
    },
  )

  it('tells a page on hello whether the worker still needs it', async () => {
    const world = createWorld()
    await recordSession(world)
    expect(await reply(world.worker(), message('hello'))).toMatchObject({ value: { workRemains: true } })
    await drainOnce(world, world.worker())
    expect(await reply(world.worker(), message('hello'))).toMatchObject({ value: { workRemains: false } })
  })

  it('tells the policy, and keeps it for every later worker', async () => {
    const world = createWorld()
    const ask = (body?: object) => reply(world.worker(), message('policy', body))
    expect(await ask()).toEqual({ ok: true, value: { policy: 'always', metered: false } })
    for (const policy of ['paused', 'unmetered', 'always', 'paused'])
      expect(await ask({ policy })).toEqual({ ok: true, value: { policy, metered: false } })
    world.network.metered = true
    expect(await ask()).toEqual({ ok: true, value: { policy: 'paused', metered: true } })
    expect(await ask({ policy: 'never' })).toMatchObject({ ok: false, error: { code: 'bad-message' } })
    expect(await ask()).toMatchObject({ value: { policy: 'paused' } })
  })

  it('tells a page on hello that it is not needed while everything is paused', async () => {
    const world = createWorld()
    await recordSession(world)
    await reply(world.worker(), message('policy', { policy: 'paused' }))
    expect(await reply(world.worker(), message('hello'))).toMatchObject({ value: { workRemains: false } })
    await reply(world.worker(), message('policy', { policy: 'unmetered' }))
    expect(await reply(world.worker(), message('hello'))).toMatchObject({ value: { workRemains: true } })
  })
})
