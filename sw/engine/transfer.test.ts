import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { DISCARD_CONFIRMATION } from '../../src/protocol/messages.ts'
import type { ChunkStatus } from '../../src/protocol/snapshot.ts'
import { isParked } from '../core/effort.ts'
import type { ChunkRecord } from '../core/record.ts'
import type { Context } from './context.ts'
import type { Transport } from '../ports/transport.ts'
import { createDrain } from './drain.ts'
import { discardSession, pauseSession } from './sessions.ts'
import { workerLifetime } from '../testing/worker-lifetime.ts'
import {
  cidOf,
  createWorld,
  drainOnce,
  recordSession,
  sessionIdOf,
  type World,
  transferNow,
} from '../testing/world.ts'
import { contentAddress } from '../../src/evidence/cid.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'

const id = sessionIdOf(1)
const never = new AbortController().signal

async function firstChunk(world: World): Promise<ChunkRecord> {
  const [chunk] = await world.chunks(id)
  if (chunk === undefined) throw new Error('No chunk')
  return chunk
}

async function recorded() {
  const world = createWorld()
  await recordSession(world)
  return { world, chunk: await firstChunk(world) }
}

describe('an upload', () => {
  it('is sent without a question the first time', async () => {
    const { world, chunk } = await recorded()
    await transferNow(world.worker(), chunk, never)
    expect(world.server.ledger.map(({ op }) => op)).toEqual(['send'])
    expect((await firstChunk(world)).state).toMatchObject({ status: 'uploaded' })
  })

  it.each([
    ['paused', (context: Context) => pauseSession(context, id)],
    ['discarded', (context: Context) => discardSession(context, id, DISCARD_CONFIRMATION)],
  ])('whose session was %s while it waited for a lane does not leave', async (_what, happens) => {
    const { world, chunk } = await recorded()
    const worker = world.worker()
    await transferNow(worker, chunk, never, async (requests) => {
      await happens(worker)
      return requests()
    })
    expect(world.server.ledger).toEqual([])
  })

  it('that its lane turned away is none that went well, by which others would be tried too', async () => {
    const { world, chunk } = await recorded()
    expect(await transferNow(world.worker(), chunk, never, async () => undefined)).toBe('aborted')
    expect(await firstChunk(world)).toMatchObject({ retryCount: 0 })
  })

  it('whose answer was lost is asked for, and not sent again', async () => {
    const { world, chunk } = await recorded()
    world.server.fault = (op) => (op === 'send' ? { code: 'unreachable', after: true } : undefined)
    await transferNow(world.worker(), chunk, never)
    const again = await firstChunk(world)
    expect(again).toMatchObject({ state: { status: 'uploading' }, effort: { sent: true } })
    await transferNow(world.worker(), again, never)
    expect(world.server.ledger.map(({ op }) => op)).toEqual(['send', 'probe'])
    expect((await firstChunk(world)).state.status).toBe('uploaded')
  })

  it('that the store does not have after all is sent again', async () => {
    const { world, chunk } = await recorded()
    world.server.fault = () => ({ code: 'unreachable' })
    await transferNow(world.worker(), chunk, never)
    world.server.fault = () => undefined
    await transferNow(world.worker(), await firstChunk(world), never)
    expect(world.server.ledger.map(({ op }) => op)).toEqual(['send', 'probe', 'send'])
    expect(world.server.stored.get(cidOf(chunk))).toBe(1)
  })

  it('keeps the bytes after it, until the chain has confirmed them', async () => {
    const { world, chunk } = await recorded()
    await transferNow(world.worker(), chunk, never)
    expect(await world.hasPayload(chunk)).toBe(true)
  })

  it('tells how far it is, keeps that for its next attempt, and leaves it to the record at its end', async () => {
    const { world, chunk } = await recorded()
    const worker = world.worker()
    const { send } = worker.transport
    const part = Math.floor(chunk.sizeBytes / 2)
    const told: number[] = []
    worker.transport.send = async (...args) => {
      const [, , , attempt] = args
      attempt.progress(part)
      told.push(worker.progress.bytesOf(id), worker.progress.bytesOf(chunk.id))
      return send(...args)
    }
    world.server.fault = () => ({ code: 'server-error' })
    await transferNow(worker, chunk, never)
    expect(told).toEqual([part, part])
    expect(worker.progress.bytesOf(id)).toBe(part)
    expect((await world.session(id)).storedBytes).toBe(0)
    expect(world.announced).toContain(id)

    world.server.fault = () => undefined
    await transferNow(worker, await firstChunk(world), never)
    expect(worker.progress.bytesOf(id)).toBe(0)
    expect(await world.session(id)).toMatchObject({
      storedBytes: chunk.sizeBytes,
      totalBytes: chunk.sizeBytes,
      localBytes: chunk.sizeBytes,
    })
  })

  // Promise 2 of docs/guarantees.md.
  it('of bytes that no longer match their hash never leaves, and parks that chunk alone', async () => {
    const { world, chunk } = await recorded()
    await world.disk.write((tx) => tx.putPayload(chunk.id, new TextEncoder().encode('rotten').buffer))
    for (let tries = 4; tries > 0; tries--) await transferNow(world.worker(), await firstChunk(world), never)
    expect(world.server.ledger).toEqual([])
    expect(await firstChunk(world)).toMatchObject({
      state: { status: 'uploading' },
      effort: { notBeforeMs: Infinity, lastError: { code: 'payload-corrupt' } },
    })
  })

  it('of bytes that cannot be read, however often they are, parks that chunk alone', async () => {
    const { world, chunk } = await recorded()
    await world.disk.write((tx) => tx.deletePayload(chunk.id))
    for (let tries = 4; tries > 0; tries--) await transferNow(world.worker(), await firstChunk(world), never)
    expect(await firstChunk(world)).toMatchObject({
      effort: { notBeforeMs: Infinity, lastError: { code: 'payload-unreadable' } },
    })
  })

  it('of bytes whose read the database calls its own failure is that chunk’s: it waits, then parks', async () => {
    const { world } = await recorded()
    const worker = world.worker()
    const payload = () => Promise.reject(new HoldfastError('storage-failed', 'UnknownError'))
    const context = { ...worker, store: { ...worker.store, payload } }
    const waits = []
    for (let tries = 4; tries > 0; tries--) {
      expect(await transferNow(context, await firstChunk(world), never)).toBe('payload-unreadable')
      waits.push(isParked((await firstChunk(world)).effort))
    }
    expect(waits).toEqual([false, false, false, true])
    expect((await world.session(id)).trouble?.error).toEqual({
      code: 'payload-unreadable',
      message: 'UnknownError',
    })
  })

  it.each(['heeds', 'does not heed'])('that hangs ends by itself, though it %s its signal', async (heeds) => {
    const { world, chunk } = await recorded()
    const worker = world.worker()
    let isStopped = false
    worker.transport.send = (_upload, _bytes, _held, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          isStopped = true
          if (heeds === 'heeds') reject(new HoldfastError('aborted', 'It was stopped.'))
        })
      })
    const begunMs = world.clock.now()
    let failure
    await world.clock.runUntil(transferNow(worker, chunk, never).then((code) => (failure = code)))
    expect({ failure, isStopped }).toEqual({ failure: 'timeout', isStopped: true })
    expect(world.clock.now() - begunMs).toBeLessThan(5 * 60_000)
  })

  it('of a chunk that was discarded meanwhile sends nothing', async () => {
    const { world, chunk } = await recorded()
    await world.disk.write((tx) => tx.deleteSession(id))
    await transferNow(world.worker(), chunk, never)
    expect(world.server.ledger).toEqual([])
  })

  it('that is stopped spends no attempt, and is due again', async () => {
    const { world, chunk } = await recorded()
    await transferNow(world.worker(), chunk, AbortSignal.abort())
    const left = await firstChunk(world)
    expect(left).toMatchObject({ retryCount: 0, state: { status: 'uploading' } })
    expect(left.effort?.notBeforeMs).toBeLessThan(Infinity)
  })
})

describe('what is only asked of a store', () => {
  it.each(['rejected-by-store', 'bad-answer'] as const)(
    'parks its chunk the sixth time: %s',
    async (code) => {
      const { world, chunk } = await recorded()
      world.server.fault = () => ({ code: 'unreachable' })
      await transferNow(world.worker(), chunk, never)
      world.server.fault = (op) => (op === 'probe' ? { code } : undefined)
      for (let times = 0; times < 5; times++)
        await transferNow(world.worker(), await firstChunk(world), never)
      expect(await firstChunk(world)).toMatchObject({ effort: { lastError: { code } } })
      expect(isParked((await firstChunk(world)).effort)).toBe(false)
      expect(await world.session(id)).toMatchObject({ trouble: { retryAtMs: expect.any(Number) as unknown } })
      await transferNow(world.worker(), await firstChunk(world), never)
      expect(await world.session(id)).toMatchObject({ parked: 1, trials: { refusal: {} } })
    },
  )

  it('parks it where the answer is that other bytes are there', async () => {
    const { world, chunk } = await recorded()
    const worker = world.worker()
    worker.transport.send = async () => 'sent'
    worker.transport.verify = () => Promise.reject(new HoldfastError('address-mismatch', 'Other bytes.'))
    worker.transport.probe = async () => ({ kind: 'nothing' })
    await transferNow(worker, chunk, never)
    for (let times = 0; times < 5; times++) await transferNow(worker, await firstChunk(world), never)
    expect(isParked((await firstChunk(world)).effort)).toBe(true)
  })
})

// Promise 5 of docs/guarantees.md.
describe('an upload of which nothing is heard', () => {
  it('is told within two minutes, and goes on', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    worker.transport.send = () => new Promise(() => {})
    void createDrain(worker).join('message')
    await world.clock.advance(110_000)
    expect(await world.session(id)).toMatchObject({ trouble: { error: { code: 'timeout' } } })
    expect((await firstChunk(world)).effort).toMatchObject({ failures: 0 })
  })

  it.each([1, 365])('is told all the same where the clock was set back %i days meanwhile', async (days) => {
    const world = createWorld()
    await recordSession(world)
    let backMs = 0
    const plain = world.worker()
    const worker = { ...plain, clock: { ...plain.clock, now: () => world.clock.now() - backMs } }
    worker.transport.send = () => new Promise(() => {})
    void createDrain(worker).join('message')
    await world.clock.advance(10_000)
    backMs = days * 86_400_000
    await world.clock.advance(110_000)
    expect(await world.session(id)).toMatchObject({ trouble: { error: { code: 'timeout' } } })
  })

  it('is not told while it tells how far it is', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    worker.transport.send = async (_upload, _bytes, _held, { progress }) => {
      for (let offset = 0; ; offset++) {
        await world.clock.sleep(90_000, never)
        progress(offset)
      }
    }
    void createDrain(worker).join('message')
    await world.clock.advance(250_000)
    expect((await world.session(id)).trouble).toBeUndefined()
  })

  it('but the same place again and again is told within two minutes', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    worker.transport.send = async (_upload, _bytes, _held, { progress }) => {
      for (;;) {
        progress(0)
        await world.clock.sleep(10_000, never)
      }
    }
    void createDrain(worker).join('message')
    await world.clock.advance(120_000)
    expect(await world.session(id)).toMatchObject({ trouble: { error: { code: 'timeout' } } })
  })
})

describe('an upload of a Blob that nobody has read', () => {
  /** A worker whose store keeps Blobs, and whose transport sends them: as its store proves, by the digest. */
  function blobWorker(world: World) {
    const worker = world.worker()
    const { transport, store } = worker
    const counts = { read: 0, unread: 0 }
    const sendUnread: Transport['sendUnread'] = async (upload, blob, attempt) => {
      counts.unread++
      const bytes = await blob.arrayBuffer().catch(() => {
        throw new HoldfastError('unreachable', 'The request has failed.')
      })
      if ((await sha256Hex(bytes)) !== upload.sha256) throw new HoldfastError('address-mismatch', 'BadDigest')
      return transport.send(upload, new Uint8Array(bytes), { kind: 'nothing' }, attempt)
    }
    const context = {
      ...worker,
      transport: { ...transport, sendUnread },
      store: {
        ...store,
        blob: async (of: ChunkRecord['id']) => new Blob([await store.payload(of)]),
        payload: (of: ChunkRecord['id']) => (counts.read++, store.payload(of)),
      },
    }
    return { context, counts }
  }

  async function recordedThree() {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    return { world, chunks: await world.chunks(id), ...blobWorker(world) }
  }

  it('is proved by the store alone', async () => {
    const { world, chunks, context, counts } = await recordedThree()
    await transferNow(context, chunks[0]!, never)
    expect((await firstChunk(world)).state.status).toBe('uploaded')
    expect(counts).toEqual({ read: 0, unread: 1 })
  })

  // Promise 2 of docs/guarantees.md.
  it('of which a byte has changed parks its chunk alone, and is the last that this worker sends unread', async () => {
    const { world, chunks, context, counts } = await recordedThree()
    const bytes = new Uint8Array(await world.disk.payload(chunks[0]!.id))
    bytes[3]! ^= 1
    await world.disk.write((tx) => tx.putPayload(chunks[0]!.id, bytes.buffer))
    for (let tries = 4; tries > 0; tries--)
      expect(await transferNow(context, await firstChunk(world), never)).toBe('payload-corrupt')
    expect(await firstChunk(world)).toMatchObject({
      state: { status: 'uploading' },
      effort: { notBeforeMs: Infinity, lastError: { code: 'payload-corrupt' } },
    })
    expect(world.server.stored.size).toBe(0)
    await transferNow(context, chunks[1]!, never)
    expect(await world.statuses(id)).toEqual(['uploading', 'uploaded', 'uploading'])
    // One that was sent unread is asked for before it is read again: the store has nothing.
    expect(counts).toEqual({ read: 5, unread: 1 })
  })

  it('which the store cannot give is read, whatever it calls that', async () => {
    const { world, chunks, context, counts } = await recordedThree()
    const blob = () => Promise.reject(new HoldfastError('storage-failed', 'No handle.'))
    await transferNow({ ...context, store: { ...context.store, blob } }, chunks[0]!, never)
    expect((await firstChunk(world)).state.status).toBe('uploaded')
    expect(counts).toEqual({ read: 1, unread: 0 })
  })

  // One of a session that was discarded while it waited for a lane.
  it('that is not there any more leaves the next one unread', async () => {
    const { world, chunks, context, counts } = await recordedThree()
    await world.disk.write((tx) => tx.deletePayload(chunks[0]!.id))
    expect(await transferNow(context, chunks[0]!, never)).toBe('payload-unreadable')
    expect(await transferNow(context, chunks[1]!, never)).toBeUndefined()
    expect(counts).toEqual({ read: 1, unread: 1 })
  })

  it('that cannot be read is that chunk’s failure, and no word of the store', async () => {
    const { world, chunks, context } = await recordedThree()
    const { store } = context
    const unreadable = {
      ...context,
      store: {
        ...store,
        blob: async () => {
          const blob = new Blob(['gone'])
          blob.arrayBuffer = () => Promise.reject(new DOMException('', 'NotReadableError'))
          return blob
        },
        payload: (of: ChunkRecord['id']) =>
          of === chunks[0]!.id
            ? Promise.reject(new DOMException('It cannot be read.', 'NotReadableError'))
            : store.payload(of),
      },
    }
    expect(await transferNow(unreadable, chunks[0]!, never)).toBe('payload-unreadable')
    expect(await world.disk.read((tx) => tx.meta('circuits'))).toBeUndefined()
    expect(await transferNow(unreadable, chunks[1]!, never)).toBeUndefined()
    expect(await world.statuses(id)).toEqual(['uploading', 'uploaded', 'uploading'])
  })

  it('whose bytes are well is the store’s failure, and goes on unread', async () => {
    const { world, chunks, context, counts } = await recordedThree()
    world.server.fault = () => ({ code: 'unreachable' })
    expect(await transferNow(context, chunks[0]!, never)).toBe('unreachable')
    expect(await world.disk.read((tx) => tx.meta('circuits'))).toMatchObject({
      'fake-store': { failures: 1 },
    })
    world.server.fault = () => undefined
    await transferNow(context, chunks[1]!, never)
    expect(counts).toEqual({ read: 1, unread: 2 })
  })
})

describe('sealing in the worker', () => {
  async function captured(chunks = 1) {
    const world = createWorld()
    await recordSession(world, { chunks, ending: 'recording', seal: 'worker' })
    return world
  }

  // Promise 7 of docs/guarantees.md.
  it('goes over hashing and encrypting to uploading, and leaves only ciphertext', async () => {
    const world = await captured()
    const before = await firstChunk(world)
    const raw = await world.disk.payload(before.id)
    await transferNow(world.worker(), before, never)
    const log = await world.disk.read((tx) => tx.log(10))
    expect(log.toReversed().map(({ to }) => to)).toEqual<(ChunkStatus | 'recording')[]>([
      'recording',
      'captured',
      'hashing',
      'encrypting',
      'uploading',
    ])
    const sealed = await firstChunk(world)
    const stored = await world.disk.payload(sealed.id)
    expect(stored.byteLength).toBe(raw.byteLength + 16)
    expect(sealed).toMatchObject({
      sizeBytes: stored.byteLength,
      state: {
        status: 'uploading',
        seal: { encryptedHash: await sha256Hex(stored), cid: await contentAddress(stored) },
      },
    })
    expect(Buffer.from(stored).includes(Buffer.from(raw))).toBe(false)
    expect((await world.session(id)).localBytes).toBe(stored.byteLength)
  })

  // Promise 8 of docs/guarantees.md.
  it('survives a death at any moment of it', async () => {
    let diesAt = 0
    for (let died = true; died;) {
      const world = await captured(2)
      const first = await drainOnce(world, world.worker(workerLifetime(++diesAt)))
      died = first === 'died'
      if (died) expect(await drainOnce(world, world.worker())).toBe('idle')
      expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
      for (const times of world.server.stored.values()) expect(times).toBe(1)
    }
    expect(diesAt).toBeGreaterThan(30)
  })

  // Promise 1 of docs/guarantees.md.
  it('that fails late, when another worker has sealed the chunk already, parks nothing', async () => {
    const world = await captured()
    const chunk = await firstChunk(world)
    let goOn = () => {}
    const { store, ...worker } = world.worker()
    const slow = {
      ...worker,
      store: {
        ...store,
        async payload(of: ChunkRecord['id']) {
          await new Promise<void>((resolve) => (goOn = resolve))
          return store.payload(of)
        },
      },
    }
    const late = transferNow(slow, chunk, never)
    await expect.poll(async () => (await firstChunk(world)).state.status).toBe('hashing')
    await transferNow(world.worker(), await firstChunk(world), never)
    expect((await firstChunk(world)).state.status).toBe('uploading')
    goOn()
    // It finds ciphertext where it looked for raw bytes.
    expect(await late).toBe('payload-corrupt')
    const left = await firstChunk(world)
    expect(left.state.status).toBe('uploading')
    expect(isParked(left.effort)).toBe(false)
  })

  it('parks a chunk whose raw bytes have changed, and does not seal them', async () => {
    const world = await captured()
    const chunk = await firstChunk(world)
    await world.disk.write((tx) => tx.putPayload(chunk.id, new TextEncoder().encode('rotten').buffer))
    for (let tries = 4; tries > 0; tries--) await transferNow(world.worker(), await firstChunk(world), never)
    expect(await firstChunk(world)).toMatchObject({
      state: { status: 'captured' },
      effort: { notBeforeMs: Infinity, lastError: { code: 'payload-corrupt' } },
    })
  })

  it('waits where the raw bytes cannot be read, whatever the database calls it', async () => {
    const world = await captured()
    const worker = world.worker()
    const chunk = await firstChunk(world)
    const payload = () => Promise.reject(new HoldfastError('storage-failed', 'UnknownError'))
    expect(await transferNow({ ...worker, store: { ...worker.store, payload } }, chunk, never)).toBe(
      'payload-unreadable',
    )
    const left = await firstChunk(world)
    expect(left.state.status).toBe('captured')
    expect(isParked(left.effort)).toBe(false)
  })

  it('parks a chunk that cannot be sealed to its session, and keeps its bytes', async () => {
    const world = await captured()
    // No X25519 public key: all that is shared with it is zero (RFC 7748 §6.1).
    const session = { ...(await world.session(id)), sealingKey: '0'.repeat(64) }
    await world.disk.write((tx) => tx.putSession(session))
    const chunk = await firstChunk(world)
    await transferNow(world.worker(), chunk, never)
    expect(await firstChunk(world)).toMatchObject({
      state: { status: 'captured' },
      effort: { notBeforeMs: Infinity, lastError: { code: 'bad-input' } },
    })
    expect(await world.hasPayload(chunk)).toBe(true)
  })

  it('does not wait for a server that is away: raw bytes stay no longer than they must', async () => {
    const world = await captured(5)
    world.server.fault = () => ({ code: 'throttled', retryAfterMs: 3_600_000 })
    await drainOnce(world, world.worker(), 'push')
    expect(await world.statuses(id)).toEqual(Array.from({ length: 5 }, () => 'uploading'))
  })
})
