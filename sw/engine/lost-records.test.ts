import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { PROTOCOL_VERSION, recordingLockName } from '../../src/protocol/messages.ts'
import type { ChunkRecord, SessionRecord } from '../core/record.ts'
import { sessionView } from '../core/view.ts'
import { loseRecords, loseSessionRecord } from '../testing/lose.ts'
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
import { reply } from './requests.ts'
import { discardSession, endSession, interruptSession, pauseSession, resumeSession } from './sessions.ts'
import { sampleOf } from '../../e2e/test-size.ts'

// Promises 1, 5 of docs/guarantees.md.

const id = sessionIdOf(1)
const TRIALS = { refusal: { failures: 1, retryAtMs: Date.UTC(2027, 0, 1), setAtMs: Date.UTC(2026, 0, 1) } }

const seen = async (world: World) =>
  sessionView(await world.session(id), { bytesOf: () => 0, bytesPerSecond: () => 0 })
const lines = async (world: World, event: string) =>
  (await world.disk.read((tx) => tx.log(1_000))).filter((line) => line.event === event)

describe('a chunk whose record is lost', () => {
  it('before its upload is told, and the rest comes to an end that is no whole one', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 4 })
    await recordSession(world, { number: 2, chunks: 2 })
    await loseRecords(world, (chunk) => chunk === `${id}/1`)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(await seen(world)).toMatchObject({ ending: 'interrupted', missing: 1, upload: 'confirmed' })
    expect(await world.statuses(id)).toEqual(Array(3).fill('confirmed'))
    expect(await lines(world, 'recounted')).toHaveLength(1)
    expect((await world.session(sessionIdOf(2))).lost).toBeUndefined()
  })

  it.each(['uploaded', 'anchoring', 'parked'])('while it is %s likewise', async (at) => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    const cids = new Set((await world.chunks(id)).map(cidOf))
    if (at === 'uploaded')
      world.server.fault = (_op, of) => (cids.has(of) ? undefined : { code: 'bad-answer' })
    if (at === 'anchoring') world.chain.fault = () => ({ code: 'unreachable' })
    if (at === 'parked') world.server.fault = () => ({ code: 'rejected-by-store' })
    await drainOnce(world, world.worker(), 'push')
    world.server.fault = () => undefined
    world.chain.fault = () => undefined
    await loseRecords(world, (chunk) => chunk === `${id}/1`)
    await resumeSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(await seen(world)).toMatchObject({ missing: 1, upload: 'confirmed', lastError: undefined })
  })

  it('before it was sealed holds no end up, which says that it is not whole', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3, ending: 'recording', seal: 'worker' })
    await endSession(world.worker(), id, 3)
    await loseRecords(world, (chunk) => chunk === `${id}/1`)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(await world.session(id)).toMatchObject({ logEnd: 'interrupted', lost: 1 })
    expect(await seen(world)).toMatchObject({ ending: 'interrupted', missing: 1, upload: 'confirmed' })
  })

  it.each([0, 5])('while it is recorded makes it no whole one, %i chunks later', async (later) => {
    const world = createWorld()
    await recordSession(world, { chunks: 3, ending: 'recording' })
    const release = world.locks.hold(recordingLockName(id))
    await loseRecords(world, (chunk) => chunk === `${id}/1`)
    const worker = world.worker()
    const drain = createDrain(worker)
    void drain.join('message')
    await world.clock.advance(20_000)
    expect(await seen(world)).toMatchObject({ ending: 'recording', missing: 1 })
    for (let index = 3; index < 3 + later; index++) await admitChunk(worker, await sealedChunk(id, index))
    const ended = await endSession(worker, id, 3 + later)
    expect(ended).toMatchObject({ ending: 'interrupted', logEnd: 'interrupted' })
    release()
    void drain.join('message')
    await world.clock.advance(60_000)
    expect(await seen(world)).toMatchObject({ missing: 1, upload: 'confirmed' })
  })

  it('where no page tells how many there were is missing too', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3, ending: 'recording' })
    await loseRecords(world, (_chunk, at) => at > 0)
    await interruptSession(world.worker(), id)
    await drainOnce(world, world.worker())
    expect(await seen(world)).toMatchObject({ ending: 'interrupted', missing: 2, upload: 'confirmed' })
  })

  it('and with it all others, leaves a session that is over, and not whole', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    await loseRecords(world, () => true)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(await seen(world)).toMatchObject({ ending: 'interrupted', missing: 2, upload: 'confirmed' })
    await discardSession(world.worker(), id, undefined)
    expect(await world.disk.read((tx) => tx.sessions())).toEqual([])
  })

  it('takes nothing after the end that was said, and says it once', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    await loseRecords(world, (_chunk, at) => at === 0)
    await drainOnce(world, world.worker())
    await expect(admitChunk(world.worker(), await sealedChunk(id, 0))).rejects.toMatchObject({
      code: 'session-ended',
    })
    await endSession(world.worker(), id, 2)
    expect(await world.session(id)).toMatchObject({ size: 4, logEnd: 'complete' })
  })

  it('is told within two minutes, though its store asks for an hour', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 5 })
    world.server.fault = () => ({ code: 'throttled', retryAfterMs: 3_600_000 })
    void createDrain(world.worker()).join('message')
    await world.clock.advance(5_000)
    await loseRecords(world, (_chunk, at) => at === 3)
    void createDrain(world.worker()).join('message')
    await world.clock.advance(115_000)
    expect(await seen(world)).toMatchObject({ ending: 'interrupted', missing: 1 })
  })
})

describe('a chunk whose record is lost while a drain runs', () => {
  it('is told within two minutes, though another recording never rests', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    const other = await recordSession(world, { number: 2, chunks: 30, ending: 'recording' })
    world.locks.hold(recordingLockName(other))
    world.server.latencyMs = 4_000
    const worker = world.worker()
    const drain = createDrain(worker)
    void drain.join('message')
    await world.clock.advance(2_000)
    await loseRecords(world, (chunk) => chunk === `${id}/2`)
    for (let index = 30; index < 150; index++) {
      await admitChunk(worker, await sealedChunk(other, index))
      void drain.join('message')
      await world.clock.advance(1_000)
    }
    expect((await world.session(other)).tally.uploading).toBeGreaterThan(0)
    expect(await seen(world)).toMatchObject({ ending: 'interrupted', missing: 1 })
  })

  it('and the chain held it already, is asked for no more often than any other', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    const worker = world.worker()
    const { read } = worker.anchor
    let reads = 0
    let isAway = true
    worker.anchor.read = async (...of) => {
      reads++
      await world.clock.sleep(50, new AbortController().signal)
      if (isAway) throw new HoldfastError('unreachable', 'Away.')
      return read(...of)
    }
    void createDrain(worker).join('message')
    await world.clock.advance(5_000)
    await loseRecords(world, (chunk) => chunk === `${id}/1`)
    isAway = false
    reads = 0
    await world.clock.advance(115_000)
    expect(reads).toBeLessThan(115_000 / worker.anchor.pollMs)
    expect(await seen(world)).toMatchObject({ missing: 1, upload: 'confirmed' })
  })
})

describe('what is left of a session', () => {
  it('whose record is lost goes with the word alone, be it no more than bytes', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    const chunks = await world.chunks(id)
    const bytes = await world.disk.payload(chunks[0]!.id)
    await world.disk.write(async (tx) => {
      await tx.deleteSession(id)
      await tx.putPayload(chunks[0]!.id, bytes)
    })
    await discardSession(world.worker(), id, undefined)
    expect(await world.hasPayload(chunks[0]!)).toBe(true)
    await discardSession(world.worker(), id, 'discard-unconfirmed')
    expect(await world.hasPayload(chunks[0]!)).toBe(false)
  })
})

describe('a person who pauses and resumes again and again', () => {
  it('has nothing written that does not change', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 20 })
    const written: string[] = []
    const { write } = world.disk
    world.disk.write = (work, needs) =>
      write(
        (tx) =>
          work(
            Object.assign(Object.create(tx) as typeof tx, {
              putChunk: (chunk: Parameters<typeof tx.putChunk>[0]) => (
                written.push(chunk.id),
                tx.putChunk(chunk)
              ),
            }),
          ),
        needs,
      )
    await resumeSession(world.worker(), id)
    expect(written.splice(0)).toEqual([])
    const cids = (await world.chunks(id)).map(cidOf)
    world.server.fault = (_op, of) => (cids.indexOf(of) < 2 ? { code: 'rejected-by-store' } : undefined)
    await drainOnce(world, world.worker(), 'push')
    written.length = 0
    const told = (await lines(world, 'resumed')).length
    const first = cids.slice(0, 2).map((_cid, at) => `${id}/${at}`)
    for (const [ask, expected] of [
      // What is parked has no place that it could lose.
      [pauseSession, []],
      [pauseSession, []],
      [resumeSession, first],
      [resumeSession, []],
      [pauseSession, first],
      [pauseSession, []],
      [resumeSession, first],
      [resumeSession, []],
    ] as const) {
      await ask(world.worker(), id)
      expect(written.splice(0)).toEqual(expected)
    }
    expect(await lines(world, 'resumed')).toHaveLength(told + 2)
    world.server.fault = () => undefined
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(await world.statuses(id)).toEqual(Array(20).fill('confirmed'))
  })
})

describe('a session whose record is lost', () => {
  it.each(['parked', 'proved', 'both'])(
    'while its chunks are %s, none of which has a turn, is set apart and told at the next count',
    async (at) => {
      const world = createWorld()
      await recordSession(world, { chunks: 2 })
      await recordSession(world, { number: 2, chunks: 1 })
      const cids = (await world.chunks(id)).map(cidOf)
      const isParked = (of: string) => at === 'parked' || (at === 'both' && of === cids[0])
      world.server.fault = (_op, of) =>
        cids.includes(of) && isParked(of) ? { code: 'rejected-by-store' } : undefined
      world.chain.fault = () => ({ code: 'unreachable' })
      await drainOnce(world, world.worker(), 'push')
      world.chain.fault = () => undefined
      await loseSessionRecord(world, id)
      // As the next worker finds it.
      expect(await drainOnce(world, world.worker())).toBe('idle')
      expect(await seen(world)).toMatchObject({
        paused: true,
        lastError: { code: 'defect' },
        chunks: at === 'parked' ? { uploading: 2 } : { uploaded: at === 'both' ? 1 : 2 },
      })
      expect(await world.statuses(sessionIdOf(2))).toEqual(['confirmed'])
      await discardSession(world.worker(), id, 'discard-unconfirmed')
      expect(await world.chunks(id)).toEqual([])
    },
  )

  it('within a drain that runs is told within two minutes', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 1 })
    await recordSession(world, { number: 2, chunks: 1 })
    world.chain.fault = () => ({ code: 'unreachable' })
    void createDrain(world.worker()).join('message')
    await world.clock.advance(5_000)
    await loseSessionRecord(world, id)
    await world.clock.advance(115_000)
    expect(await seen(world)).toMatchObject({ paused: true, lastError: { code: 'defect' } })
  })
})

// As the database may lose it with its power, while the record stays.
describe('a place in the queue that a chunk should not have', () => {
  /** What of a record is not as it was when its chunk got its place. */
  type Change = (session: SessionRecord, chunk: ChunkRecord) => Partial<SessionRecord> | ChunkRecord

  it.each<[string, Change]>([
    ['since its session is damaged', () => ({ name: undefined as never })],
    ['since its session is paused', () => ({ paused: true })],
    ['since its session holds its chunks back', () => ({ heldBack: true, refused: 3, trials: TRIALS })],
    [
      'since it is proved',
      (_session, chunk) => ({
        ...chunk,
        state: { ...chunk.state, status: 'uploaded', uploadedAtMs: 1 } as ChunkRecord['state'],
        effort: undefined,
      }),
    ],
  ])('%s is taken from it, and no look spins on it', async (_since, change) => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    world.server.fault = () => ({ code: 'throttled', retryAfterMs: 20_000 })
    const worker = world.worker()
    let looks = 0
    const read: typeof worker.store.read = (work) =>
      ++looks > 500 ? Promise.reject(new Error('It spins.')) : world.disk.read(work)
    void createDrain({ ...worker, store: { ...worker.store, read } }).join('message')
    // They were counted a moment ago.
    await world.clock.advance(15_000)
    world.server.fault = () => undefined
    const session = await world.session(id)
    const chunk = (await world.chunks(id))[0]!
    const changed = change(session, chunk)
    await world.disk.write((tx) =>
      'index' in changed ? tx.putChunk(changed) : tx.putSession({ ...session, ...changed }),
    )
    await world.clock.advance(30_000)
    expect(looks).toBeLessThan(50)
    expect((await world.chunks(id))[0]).toMatchObject({ due: undefined })
  })
})

describe('the mark by which a session is found', () => {
  it.each(['parked', 'proved'])(
    'is restored while its chunks are %s, none of which has a turn',
    async (at) => {
      const world = createWorld()
      await recordSession(world, { chunks: 3 })
      const cids = new Set((await world.chunks(id)).map(cidOf))
      world.server.fault = (_op, of) =>
        at === 'parked' && cids.has(of) ? { code: 'rejected-by-store' } : undefined
      world.chain.fault = () => ({ code: 'unreachable' })
      await drainOnce(world, world.worker(), 'push')
      world.server.fault = () => undefined
      world.chain.fault = () => undefined
      const { open: _lost, ...rest } = await world.session(id)
      await world.disk.write((tx) => tx.putSession(rest))
      expect(await drainOnce(world, world.worker())).toBe('idle')
      expect(await seen(world)).toMatchObject({ ending: 'complete', missing: 0, upload: 'confirmed' })
    },
  )
})

describe('a chunk that has lost', () => {
  type Lost = 'due' | 'position' | 'proved'
  const lose = (world: World, at: number, ...fields: Lost[]) =>
    world.disk.write(async (tx) => {
      const chunk = { ...(await tx.chunksOf(id))[at]! }
      for (const field of fields) delete chunk[field]
      await tx.putChunk(chunk)
    })

  it.each(['page', 'worker'] as const)(
    'its place in the queue gets it back once nothing waits (%s)',
    async (seal) => {
      const world = createWorld()
      await recordSession(world, { chunks: 3, seal })
      await recordSession(world, { number: 2 })
      await lose(world, 1, 'due')
      const drain = createDrain(world.worker())
      for (let greeted = 0; greeted < 4; greeted++) {
        void drain.join('message')
        await world.clock.advance(20_000)
      }
      expect(await world.statuses(id)).toEqual(Array(3).fill('confirmed'))
      expect(await seen(world)).toMatchObject({ ending: 'complete', missing: 0, upload: 'confirmed' })
    },
  )

  it.each(['page', 'worker'] as const)(
    'its place in the queue gets it back though another one fails for ever (%s)',
    async (seal) => {
      const world = createWorld()
      await recordSession(world, { chunks: 3, seal })
      await recordSession(world, { number: 2 })
      const [other] = (await world.chunks(sessionIdOf(2))).map(cidOf)
      world.server.fault = (_op, of) => (of === other ? { code: 'server-error' } : undefined)
      await lose(world, 1, 'due')
      const drain = createDrain(world.worker())
      for (let greeted = 0; greeted < 20; greeted++) {
        void drain.join('message')
        await world.clock.advance(20_000)
      }
      expect(await world.statuses(id)).toEqual(Array(3).fill('confirmed'))
      expect(await lines(world, 'recounted')).toHaveLength(1)
    },
  )

  it.each(['page', 'worker'] as const)(
    'its place in the queue gets it back within two minutes though another one hangs (%s)',
    async (seal) => {
      const world = createWorld()
      await recordSession(world, { chunks: 3, seal })
      await recordSession(world, { number: 2 })
      const [other] = (await world.chunks(sessionIdOf(2))).map(cidOf)
      const { transport, ...worker } = world.worker()
      const send: typeof transport.send = (upload, ...rest) =>
        upload.cid === other ? new Promise(() => {}) : transport.send(upload, ...rest)
      await lose(world, 1, 'due')
      const drain = createDrain({ ...worker, transport: { ...transport, send } })
      for (let greeted = 0; greeted < 6; greeted++) {
        void drain.join('message')
        await world.clock.advance(20_000)
      }
      expect(await world.statuses(id)).toEqual(Array(3).fill('confirmed'))
    },
  )

  it('nothing, and waits for a person or a trial, has nothing written', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    await recordSession(world, { number: 2, chunks: 3 })
    await pauseSession(world.worker(), id)
    world.server.fault = () => ({ code: 'rejected-by-store' })
    void createDrain(world.worker()).join('message')
    await world.clock.advance(200_000)
    expect(await lines(world, 'recounted')).toEqual([])
  })

  it.each([
    ['its mark among the proved ones', ['proved']],
    ['the place of its entry', ['position', 'proved']],
  ] as const)('%s is confirmed with the others', async (_what, fields) => {
    for (const kind of ['chain', 'store']) {
      const world = createWorld()
      const { anchor, ...rest } = world.worker()
      const worker = kind === 'chain' ? { ...rest, anchor } : rest
      await recordSession(world, { chunks: 3, worker })
      const cids = new Set((await world.chunks(id)).map(cidOf))
      // Only its chunks get through.
      world.server.fault = (_op, of) => (cids.has(of) ? undefined : { code: 'unreachable' })
      void createDrain(worker).join('push')
      await world.clock.advance(30_000)
      expect(await world.statuses(id)).toEqual(Array(3).fill('manifesting'))
      await lose(world, 1, ...fields)
      world.server.fault = () => undefined
      let writes = 0
      const { write } = worker.store
      const counted = { ...worker.store, write: ((...args) => (writes++, write(...args))) as typeof write }
      void createDrain({ ...worker, store: counted }).join('message')
      await world.clock.advance(120_000)
      expect(await seen(world)).toMatchObject({ missing: 0, upload: 'confirmed' })
      expect(writes).toBeLessThan(100)
    }
  })

  it.each(['uploading', 'captured'] as const)(
    'the place of its entry, if any, while it is %s goes on',
    async (status) => {
      const world = createWorld()
      await recordSession(world, { chunks: 3, seal: status === 'captured' ? 'worker' : 'page' })
      await lose(world, 0, 'position')
      expect(await drainOnce(world, world.worker())).toBe('idle')
      expect(await seen(world)).toMatchObject({ ending: 'complete', missing: 0, upload: 'confirmed' })
    },
  )
})

describe('a session of whose record a field is damaged', () => {
  const values = [null, 5, 'text', NaN, {}, [], [null], true]
  const fields =
    'access anchored changedAtMs completion damaged ending expired identity listed listing logEnd name notes paging parked ' +
    'paused resumedAtMs size startedAtMs tally totalBytes trials trouble witnessing'

  it.each(sampleOf(fields.split(' ')))(
    '(%s) holds no other up, and goes up itself or is told within two minutes',
    async (field) => {
      for (const value of values) {
        const what = `${field}: ${JSON.stringify(value)}`
        const world = createWorld()
        await recordSession(world, { chunks: 2 })
        await recordSession(world, { number: 2, chunks: 2 })
        const whole = await world.session(id)
        await world.disk.write((tx) => tx.putSession({ ...whole, [field]: value }))
        const worker = world.worker()
        void createDrain(worker)
          .join('message')
          .catch(() => undefined)
        await world.clock.advance(120_000)
        expect(await world.statuses(sessionIdOf(2)), what).toEqual(['confirmed', 'confirmed'])
        const asked = await reply(worker, { holdfast: PROTOCOL_VERSION, type: 'sessions' })
        expect(asked, what).toMatchObject({ ok: true })
        const { upload, lastError, paused } = await seen(world)
        expect(upload === 'confirmed' || !!lastError || paused, `${what} is told`).toBe(true)
        for (const chunk of await world.chunks(id))
          if (chunk.state.status !== 'confirmed') expect(await world.hasPayload(chunk), what).toBe(true)
        worker.lifetime.die()
      }
    },
  )
})

describe('a chunk of whose record a field is damaged', () => {
  it.each(
    sampleOf(['state', 'effort', 'sizeBytes', 'retryCount', 'durationMs', 'position', 'sessionId', 'index']),
  )('(%s) holds no other session up', async (field) => {
    for (const value of [null, 5, 'text', NaN, {}, [], undefined]) {
      const world = createWorld()
      await recordSession(world, { chunks: 2 })
      await recordSession(world, { number: 2, chunks: 2 })
      const [chunk] = await world.chunks(id)
      await world.disk.write((tx) => tx.putChunk({ ...chunk!, [field]: value }))
      const worker = world.worker()
      void createDrain(worker)
        .join('message')
        .catch(() => undefined)
      await world.clock.advance(120_000)
      const what = `${field}: ${JSON.stringify(value)}`
      expect(await world.statuses(sessionIdOf(2)), what).toEqual(['confirmed', 'confirmed'])
      worker.lifetime.die()
    }
  })
})
