import { describe, expect, it } from 'vitest'
import { parseEntry } from '../../src/evidence/entry-parse.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { Sha256Hex } from '../../src/protocol/ids.ts'
import type { HandedChunk } from '../../src/protocol/messages.ts'
import { admitChunk } from './admit.ts'
import { discardSession, endSession, interruptSession, pauseSession, startSession } from './sessions.ts'
import { expectThrough } from '../testing/expect-through.ts'
import { workerLifetime } from '../testing/worker-lifetime.ts'
import {
  aRawStart,
  aStart,
  createWorld,
  drainOnce,
  rawChunk,
  sealedChunk,
  sessionIdOf,
  type World,
} from '../testing/world.ts'

const id = sessionIdOf(1)

async function started(start = aStart()): Promise<World> {
  const world = createWorld()
  await startSession(world.worker(), start)
  return world
}

/** Refused with this code, and not a byte of it is kept. */
async function expectRefused(world: World, handed: HandedChunk, code: string) {
  const before = await world.disk.read(async (tx) => [await tx.sessions(), await tx.log(9)])
  const chunks = await world.chunks(handed.sessionId)
  await expect(admitChunk(world.worker(), handed)).rejects.toMatchObject({ code })
  expect(await world.chunks(handed.sessionId)).toEqual(chunks)
  expect(await world.disk.read(async (tx) => [await tx.sessions(), await tx.log(9)])).toEqual(before)
  for (const chunk of await world.chunks(handed.sessionId)) expect(await world.hasPayload(chunk)).toBe(true)
  expect(await world.chunks(handed.sessionId)).toHaveLength(chunks.length)
}

describe('a hand-off', () => {
  it('is acknowledged once the bytes, the record and the tally are durable together', async () => {
    const world = await started()
    const handed = await sealedChunk(id, 3)
    const chunkId = await admitChunk(world.worker(), handed)
    const [chunk] = await world.chunks(id)
    expect(chunk).toMatchObject({
      id: chunkId,
      index: 3,
      sizeBytes: handed.payload.size,
      state: { status: 'uploading', seal: handed.seal },
      effort: { failures: 0, notBeforeMs: 0 },
      due: [0, expect.closeTo(aStart().startedAtMs, 0), 3],
    })
    expect(await world.disk.payload(chunkId)).toEqual(await handed.payload.arrayBuffer())
    expect(await world.session(id)).toMatchObject({
      tally: { uploading: 1 },
      localBytes: handed.payload.size,
    })
    expect(world.announced).toEqual([id, id])
  })

  // Promise 1 of docs/guarantees.md.
  it('is acknowledged again when it is repeated, and kept once', async () => {
    const world = await started()
    const handed = await sealedChunk(id, 0)
    const worker = world.worker()
    const first = await admitChunk(worker, handed)
    expect(await admitChunk(worker, handed)).toBe(first)
    expect(await Promise.all([admitChunk(worker, handed), admitChunk(worker, handed)])).toEqual([
      first,
      first,
    ])
    expect((await world.session(id)).tally.uploading).toBe(1)
  })

  // Promise 1 of docs/guarantees.md.
  it('is kept once when two repetitions race', async () => {
    const world = await started()
    const handed = await sealedChunk(id, 0)
    const acknowledged = await Promise.all([1, 2, 3].map(() => admitChunk(world.worker(), handed)))
    expect(new Set(acknowledged).size).toBe(1)
    expect((await world.session(id)).tally.uploading).toBe(1)
  })

  it('is acknowledged again long after the chunk was confirmed and its session ended', async () => {
    const world = await started()
    const handed = await sealedChunk(id, 0)
    await admitChunk(world.worker(), handed)
    await endSession(world.worker(), id)
    await drainOnce(world, world.worker())
    expect(await world.statuses(id)).toEqual(['confirmed'])
    expect(await admitChunk(world.worker(), handed)).toBe(`${id}/0`)
    expect(await world.statuses(id)).toEqual(['confirmed'])
  })

  // Promise 1 of docs/guarantees.md.
  it.each([1, 2])('is not half kept when the worker dies in the middle of it (moment %i)', async (diesAt) => {
    const world = await started()
    const handed = await sealedChunk(id, 0)
    const dying = world.worker(workerLifetime(diesAt))
    void admitChunk(dying, handed)
    await world.clock.runUntil(new Promise(() => {}), () => dying.lifetime.dead)
    const chunks = await world.chunks(id)
    expect(chunks).toHaveLength(diesAt - 1)
    for (const chunk of chunks) expect(await world.hasPayload(chunk)).toBe(true)
    expect((await world.session(id)).tally.uploading).toBe(diesAt - 1)
    await admitChunk(world.worker(), handed)
    expect((await world.session(id)).tally.uploading).toBe(1)
  })

  it('into a paused session is kept, and waits', async () => {
    const world = await started()
    await pauseSession(world.worker(), id)
    await admitChunk(world.worker(), await sealedChunk(id, 0))
    expect((await world.chunks(id))[0]?.due).toBeUndefined()
  })

  it('of an interrupted session is taken', async () => {
    const world = await started()
    await interruptSession(world.worker(), id)
    await admitChunk(world.worker(), await sealedChunk(id, 0))
    expect((await world.session(id)).tally.uploading).toBe(1)
  })

  it('of an interrupted session that the worker seals is taken too, and sealed', async () => {
    const world = await started(aRawStart())
    await interruptSession(world.worker(), id)
    await admitChunk(world.worker(), await rawChunk(id, 0))
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 1)
  })

  it('puts a sealed chunk into the log, and a raw one only once it is sealed', async () => {
    const kinds = async (world: World) =>
      (await world.disk.read((tx) => tx.entries(id, 0, 99))).map((entry) => parseEntry(entry).kind)
    const sealed = await started()
    await admitChunk(sealed.worker(), await sealedChunk(id, 7))
    expect(await kinds(sealed)).toEqual(['session', 'chunk'])
    expect(await sealed.chunks(id)).toMatchObject([{ index: 7, position: 1 }])
    const raw = await started(aRawStart())
    await admitChunk(raw.worker(), await rawChunk(id, 7))
    expect(await kinds(raw)).toEqual(['session'])
    expect((await raw.chunks(id))[0]?.position).toBeUndefined()
  })

  it('of a raw chunk keeps the raw bytes until they are sealed', async () => {
    const world = await started(aRawStart())
    const handed = await rawChunk(id, 0)
    const chunkId = await admitChunk(world.worker(), handed)
    expect((await world.chunks(id))[0]?.state).toEqual({ status: 'captured' })
    expect(await world.disk.payload(chunkId)).toEqual(await handed.payload.arrayBuffer())
    expect(await admitChunk(world.worker(), handed)).toBe(chunkId)
    await endSession(world.worker(), id)
    await drainOnce(world, world.worker())
    expect(await admitChunk(world.worker(), handed)).toBe(chunkId)
  })
})

describe('a hand-off is refused, and nothing of it kept', () => {
  const otherHash = 'f'.repeat(64) as Sha256Hex

  it('when its session is unknown, or was discarded', async () => {
    await expectRefused(createWorld(), await sealedChunk(id, 0), 'unknown-session')
    const world = await started()
    await discardSession(world.worker(), id, 'discard-unconfirmed')
    await expectRefused(world, await sealedChunk(id, 0), 'unknown-session')
  })

  it('when its session was ended by its page', async () => {
    const world = await started()
    await endSession(world.worker(), id)
    await expectRefused(world, await sealedChunk(id, 0), 'session-ended')
  })

  it('when its place holds other bytes: the stored ones stay', async () => {
    const world = await started()
    const handed = await sealedChunk(id, 0)
    await admitChunk(world.worker(), handed)
    // The same plaintext, sealed again: another IV, so other bytes.
    await expectRefused(world, await sealedChunk(id, 0), 'index-taken')
    await expectRefused(world, { ...handed, capturedAtMs: 1 }, 'index-taken')
    await expectRefused(world, { ...handed, plaintextHash: otherHash }, 'index-taken')
    expect(await world.disk.payload(await admitChunk(world.worker(), handed))).toEqual(
      await handed.payload.arrayBuffer(),
    )
  })

  // Promise 1 of docs/guarantees.md.
  it('when the bytes are not those that were announced', async () => {
    const world = await started()
    const handed = await sealedChunk(id, 0)
    await expectRefused(world, { ...handed, payload: new Blob(['other bytes']) }, 'hash-mismatch')
    await expectRefused(world, { ...handed, payload: new Blob() }, 'hash-mismatch')
    const seal = { ...handed.seal, encryptedHash: otherHash }
    await expectRefused(world, { ...handed, seal }, 'hash-mismatch')
    await admitChunk(world.worker(), handed)
  })

  it('when the Blob cannot be read any more', async () => {
    const world = await started()
    const payload = Object.assign(new Blob(['gone']), {
      arrayBuffer: () => Promise.reject(new DOMException('Gone', 'NotFoundError')),
    })
    const handed = { ...(await sealedChunk(id, 0)), payload }
    await expectRefused(world, handed, 'hash-mismatch')
    await expect(admitChunk(world.worker(), handed)).rejects.toMatchObject({
      cause: { name: 'NotFoundError' },
    })
  })

  it('when it is raw and its session is sealed by the page, or the other way round', async () => {
    await expectRefused(await started(), await rawChunk(id, 0), 'bad-message')
    await expectRefused(await started(aRawStart()), await sealedChunk(id, 0), 'bad-message')
  })

  // Promise 1 of docs/guarantees.md.
  it('when the device is full', async () => {
    const world = await started()
    const worker = world.worker()
    const full = () => Promise.reject(new HoldfastError('storage-full', 'Full.'))
    await expect(
      admitChunk({ ...worker, store: { ...worker.store, write: full } }, await sealedChunk(id, 0)),
    ).rejects.toMatchObject({ code: 'storage-full', class: 'transient' })
    expect(await world.chunks(id)).toEqual([])
  })

  // Promise 1 of docs/guarantees.md.
  it('when the session ends while its bytes are read', async () => {
    const world = await started()
    const handed = await sealedChunk(id, 0)
    const payload = Object.assign(new Blob([await handed.payload.arrayBuffer()]), {
      arrayBuffer: async () => {
        await endSession(world.worker(), id)
        return handed.payload.arrayBuffer()
      },
    })
    await expect(admitChunk(world.worker(), { ...handed, payload })).rejects.toMatchObject({
      code: 'session-ended',
    })
    expect(await world.chunks(id)).toEqual([])
  })
})

// Promise 9 of docs/guarantees.md.
describe('many chunks at once', () => {
  it('of which eight can never be read hold no other one up for good', async () => {
    const world = createWorld()
    const worker = world.worker()
    await startSession(worker, aStart())
    const hung = Array.from({ length: 8 }, async (_of, index) => {
      const chunk = await sealedChunk(id, index)
      Object.defineProperty(chunk.payload, 'arrayBuffer', { value: () => new Promise(() => {}) })
      return admitChunk(worker, chunk).catch(({ code }: HoldfastError) => code)
    })
    await Promise.resolve()
    const all = Promise.all([...hung, admitChunk(worker, await sealedChunk(id, 8))])
    await world.clock.runUntil(all)
    expect((await world.chunks(id)).map(({ index }) => index)).toEqual([8])
    expect(new Set((await all).slice(0, 8))).toEqual(new Set(['hash-mismatch']))
  })

  it('are read a few at a time; the others wait in their messages', async () => {
    const world = createWorld()
    const worker = world.worker()
    await startSession(worker, aStart())
    let reading = 0
    let most = 0
    const chunks = await Promise.all(
      Array.from({ length: 60 }, async (_of, index) => {
        const chunk = await sealedChunk(id, index)
        const read = chunk.payload.arrayBuffer.bind(chunk.payload)
        const counted = async () => {
          most = Math.max(most, ++reading)
          return read().finally(() => reading--)
        }
        Object.defineProperty(chunk.payload, 'arrayBuffer', { value: counted })
        return chunk
      }),
    )
    await Promise.all(chunks.map((chunk) => admitChunk(worker, chunk)))
    expect(most).toBeLessThanOrEqual(8)
    expect(await world.chunks(id)).toHaveLength(60)
  })
})
