import { describe, expect, it, test } from 'vitest'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import type { ChunkRecord } from '../core/record.ts'
import { sealInWorker } from '../seal.ts'
import type { Sealer, Watch } from './context.ts'
import { cidOf, createWorld, drainOnce, recordSession, sessionIdOf, type World } from '../testing/world.ts'
import { createEngine } from './engine.ts'
import { SILENCE_MS } from './limits.ts'

// Promise 5 of docs/guarantees.md: what hangs or talks nonsense behind a port is told within two minutes, and stops no
// other.

const id = sessionIdOf(1)
const never = () => new Promise<never>(() => {})

/** A page greets this worker every 20 s, so long. */
async function greeted(world: World, worker: ReturnType<World['worker']>, ms: number) {
  const engine = createEngine(worker, Promise.resolve())
  const hello = { holdfast: PROTOCOL_VERSION, type: 'hello', again: true }
  for (let at = 0; at < ms; at += 20_000) {
    void engine.receive(hello, () => undefined)
    await world.clock.advance(20_000)
  }
}

const refuses = () => {
  throw new HoldfastError('rejected-by-store', 'No.')
}

const rawSession = (world: World, chunks: number) => recordSession(world, { chunks, seal: 'worker' })

/** The world’s worker with a sealer that fails so for the chunks with these indexes. */
function sealing(world: World, indexes: readonly number[], fails: Sealer) {
  const worker = world.worker()
  const sealer: Sealer = worker.sealer!
  return {
    ...worker,
    sealer: (async (context, chunk) =>
      indexes.includes(chunk.index) ? fails(context, chunk) : sealer(context, chunk)) satisfies Sealer,
  }
}

describe('a sealer', () => {
  const others = (chunks: readonly ChunkRecord[]) => chunks.slice(1).map(({ state }) => state.status)

  it.each<[string, Sealer]>([
    ['hangs', never],
    ['does nothing', async () => undefined],
    ['throws no error', () => Promise.reject('No.')],
  ])(
    'that %s fails that chunk alone, which is told within two minutes and tried again',
    async (_what, fails) => {
      const world = createWorld()
      await rawSession(world, 5)
      await greeted(world, sealing(world, [0], fails), 120_000)
      expect(await world.session(id)).toMatchObject({ parked: 1, trouble: { error: { code: 'defect' } } })
      expect(others(await world.chunks(id))).toEqual(Array(4).fill('confirmed'))
      await greeted(world, world.worker(), 400_000)
      expect(await world.statuses(id)).toEqual(Array(5).fill('confirmed'))
    },
  )

  it('that hangs for chunk after chunk holds the others up for less than two minutes at a time', async () => {
    const world = createWorld()
    await rawSession(world, 8)
    await greeted(world, sealing(world, [0, 1, 2], never), 180_000)
    expect((await world.statuses(id)).slice(3)).toEqual(Array(5).fill('confirmed'))
  })

  it.each([1, 2])(
    'that hangs for %i sessions of 15 chunks holds up the sealing of no other for two minutes',
    async (hanging) => {
      const world = createWorld()
      for (let number = 1; number <= hanging; number++)
        await recordSession(world, {
          number: 2 * number,
          chunks: 15,
          seal: 'worker',
          startedAtMs: 1_000 * number,
        })
      const slow = new HoldfastError('timeout', 'It is slow.')
      const hangs: Sealer = (context, chunk) => {
        if (chunk.sessionId === id) return sealInWorker(context, chunk)
        // Some of them wait for a time of their own.
        return chunk.index % 3 === 0 && chunk.retryCount === 0 ? Promise.reject(slow) : never()
      }
      const worker = { ...world.worker(), sealer: hangs }
      await greeted(world, worker, 20_000)
      // Begun before the last of them, and handed over after all of them.
      await recordSession(world, { chunks: 6, seal: 'worker', startedAtMs: 1_500 })
      await greeted(world, worker, 120_000)
      expect(await world.statuses(id)).toEqual(Array(6).fill('confirmed'))
    },
  )

  it('has longer for a large chunk, and two minutes for the largest', async () => {
    const world = createWorld()
    await rawSession(world, 1)
    const [chunk] = await world.chunks(id)
    await world.disk.write((tx) => tx.putChunk({ ...chunk!, sizeBytes: 64 * 1024 * 1024 }))
    const worker = sealing(world, [0], never)
    await greeted(world, worker, 100_000)
    expect((await world.session(id)).trouble).toBeUndefined()
    await greeted(world, worker, 20_000)
    expect((await world.session(id)).trouble).toMatchObject({ error: { code: 'defect' } })
  })

  it.each(['timeout', 'throttled'] as const)('that fails with %s says nothing of the store', async (code) => {
    const world = createWorld()
    await rawSession(world, 1)
    await recordSession(world, { number: 2, chunks: 6 })
    const fails = () =>
      Promise.reject(new HoldfastError(code, 'The key service.', { retryAfterMs: 3_600_000 }))
    world.server.latencyMs = 1_000
    await greeted(world, sealing(world, [0], fails), 20_000)
    expect(await world.statuses(sessionIdOf(2))).toEqual(Array(6).fill('confirmed'))
    expect(await world.session(id)).toMatchObject({ trouble: { error: { code } } })
  })
})

describe('an error of another copy of the library', () => {
  const foreign = (retryAfterMs: unknown) =>
    Object.assign(new Error('Odd.'), { name: 'HoldfastError', code: 'throttled', retryAfterMs })

  it.each([undefined, Number.NaN, -5, null])(
    'that asks for a wait of %s is tried again soon',
    async (wait) => {
      const world = createWorld()
      await recordSession(world, { chunks: 2 })
      const worker = world.worker()
      const { send } = worker.transport
      let sends = 0
      worker.transport.send = (...args) => (sends++ === 0 ? Promise.reject(foreign(wait)) : send(...args))
      await greeted(world, worker, 40_000)
      expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
    },
  )

  it.each([Infinity, 1e15])('that asks for a wait of %s is heeded for an hour', async (wait) => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    const worker = world.worker()
    const { send } = worker.transport
    let sends = 0
    worker.transport.send = (...args) => (sends++ === 0 ? Promise.reject(foreign(wait)) : send(...args))
    await greeted(world, worker, 3_500_000)
    expect(await world.session(id)).toMatchObject({ parked: 0, trouble: { error: { code: 'throttled' } } })
    await greeted(world, worker, 200_000)
    expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
  })
})

test('an anchor of the app’s own that hangs is told within two minutes, and asked again', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 2 })
  const worker = world.worker()
  const { witness } = worker.anchor
  let looks = 0
  const anchor: typeof worker.anchor = {
    ...worker.anchor,
    witness: (...args) => (looks++ === 0 ? never() : witness(...args)),
  }
  await greeted(world, { ...worker, anchor }, 110_000)
  expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
})

test.each(['probe', 'verify'] as const)(
  'a %s of the app’s own that throws, rather than rejects, parks nothing at once, as no question does',
  async (question) => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    const worker = world.worker()
    const { transport } = worker
    const { send } = transport
    transport.send = async (...args) => {
      await send(...args)
      if (question === 'probe') throw new HoldfastError('unreachable', 'Its answer was lost.')
      return 'sent'
    }
    transport.probe = async () => ({ kind: 'all', proved: false })
    transport[question] = refuses
    await greeted(world, worker, 40_000)
    expect(await world.session(id)).toMatchObject({ trouble: { error: { code: 'rejected-by-store' } } })
    for (const { effort } of await world.chunks(id)) expect(effort?.failures).toBeGreaterThan(1)
  },
)

describe.each<[how: string, answer: unknown]>([
  ['nothing at all', undefined],
  ['null', null],
  ['an empty object', {}],
  ['a word', 'nothing'],
  ['true', true],
  ['a kind of its own', { kind: 'stored', proved: true }],
  ['its kind in capitals', { kind: 'ALL', proved: true }],
])('a probe of the app’s own that answers %s', (_how, answer) => {
  it('costs no second copy, and parks nothing', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    const worker = world.worker()
    const { transport } = worker
    const { send, probe } = transport
    let isLost = true
    transport.send = async (...args) => {
      await send(...args)
      if (isLost) throw new HoldfastError('unreachable', 'Its answer was lost.')
      return 'proved'
    }
    transport.probe = async () => answer as never
    transport.verify = async () => undefined
    await greeted(world, worker, 40_000)
    const chunks = await world.chunks(id)
    for (const chunk of chunks) expect(world.server.sends(cidOf(chunk))).toBe(1)
    expect(await world.session(id)).toMatchObject({ parked: 0 })
    isLost = false
    transport.probe = probe
    await greeted(world, worker, 120_000)
    expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
    for (const chunk of chunks) expect(world.server.sends(cidOf(chunk))).toBe(1)
  })
})

test('a read of an anchor of the app’s own that throws, rather than rejects, parks nothing', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 2 })
  const worker = world.worker()
  const anchor: typeof worker.anchor = { ...worker.anchor, read: refuses }
  await greeted(world, { ...worker, anchor }, 40_000)
  const { witnessing, trouble } = await world.session(id)
  expect(trouble).toMatchObject({ error: { code: 'rejected-by-store' } })
  expect(witnessing.notBeforeMs).toBeLessThan(Infinity)
})

test('events of an anchor of the app’s own that throws, rather than rejects, hold no bytes up', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 2 })
  const worker = world.worker()
  worker.anchor.events = () => {
    throw new Error('There is no such method.')
  }
  await greeted(world, worker, 40_000)
  expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
})

test('an app’s way to be woken that throws, rather than rejects, stops nothing', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 2 })
  const worker = world.worker()
  worker.wake.arm = () => {
    throw new Error('There is no such plugin.')
  }
  await greeted(world, worker, 20_000)
  expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
})

test('a chunk that a later version calls otherwise is sent, and no look spins on it', async () => {
  const world = createWorld()
  await recordSession(world, { chunks: 2 })
  const [chunk] = await world.chunks(id)
  await world.disk.write((tx) =>
    tx.putChunk({ ...chunk!, state: { ...chunk!.state, status: 'checking' } } as unknown as ChunkRecord),
  )
  await greeted(world, world.worker(), 20_000)
  expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
})

describe('a watch of the app’s own', () => {
  it.each([
    ['hangs', never],
    ['rejects', async () => Promise.reject(new Error('no'))],
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['gives no promise', () => undefined as never],
  ])('that %s holds up no session, and no drain for longer than a step', async (_how, watch: Watch) => {
    const world = createWorld()
    const id = await recordSession(world, { chunks: 2 })
    let asked = 0
    const worker = Object.assign(world.worker(), {
      watch: ((...given) => (asked++, watch(...given))) satisfies Watch,
    })
    const beganMs = world.clock.now()
    expect(await drainOnce(world, worker)).toBe('idle')
    expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
    expect(asked).toBeGreaterThan(0)
    expect(world.clock.now() - beganMs).toBeLessThan(SILENCE_MS + 60_000)
    // And what is recorded after that.
    const next = await recordSession(world, { number: 2, chunks: 1 })
    expect(await drainOnce(world, worker)).toBe('idle')
    expect(await world.statuses(next)).toEqual(['confirmed'])
  })
})
