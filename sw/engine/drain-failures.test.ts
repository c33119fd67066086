import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { chunkIdOf, type ChunkId } from '../../src/protocol/ids.ts'
import {
  DISCARD_CONFIRMATION,
  PROTOCOL_VERSION,
  recordingLockName,
  type Request,
} from '../../src/protocol/messages.ts'
import type { ChunkRecord } from '../core/record.ts'
import { OwnError } from '../ports/own-error.ts'
import { expectThrough } from '../testing/expect-through.ts'
import { countedStore } from '../testing/counted-store.ts'
import {
  cidOf,
  createWorld,
  drainOnce,
  rawChunk,
  recordSession,
  sealedChunk,
  sessionIdOf,
  type World,
} from '../testing/world.ts'
import { admitChunk } from './admit.ts'
import { createDrain } from './drain.ts'
import { reply } from './requests.ts'
import { resumeSession } from './sessions.ts'

const id = sessionIdOf(1)
const ask = (request: Request) => ({ holdfast: PROTOCOL_VERSION, ...request })
const sizeOf = (chunks: readonly ChunkRecord[]) => chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

describe('failures', () => {
  // Promise 5 of docs/guarantees.md.
  it('of one chunk stop no other, and no other session', async () => {
    const world = createWorld()
    await recordSession(world, { number: 1, chunks: 3 })
    await recordSession(world, { number: 2, chunks: 2 })
    const [, bad] = await world.chunks(id)
    const badCid = cidOf(bad)
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
    await expectThrough(world, id, 3)
  })

  it('tell the store, once a person has asked for another try, when that was; not for a visit', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 1 })
    world.server.fault = (op) => (op === 'send' ? { code: 'rejected-by-store' } : undefined)
    const asked: (number | undefined)[] = []
    const worker = () => {
      const context = world.worker()
      const { transport } = context
      const send: typeof transport.send = (upload, ...rest) => {
        asked.push(upload.to?.resumedAtMs)
        return transport.send(upload, ...rest)
      }
      return { ...context, transport: { ...transport, send } }
    }
    await drainOnce(world, worker())
    await reply(worker(), { holdfast: PROTOCOL_VERSION, type: 'hello' })
    await drainOnce(world, worker())
    expect(new Set(asked.splice(0))).toEqual(new Set([undefined]))
    const nowMs = world.clock.now()
    await resumeSession(worker(), id)
    await drainOnce(world, worker())
    expect(new Set(asked)).toEqual(new Set([nowMs]))
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
    for (const chunk of await world.chunks(id))
      expect(chunk).toMatchObject({ retryCount: 0, effort: { failures: 0 } })

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
    const [first, ...rest] = world.server.ledger
    const waitedMs = rest.map(({ atMs }) => atMs - (first?.atMs ?? 0))
    // A page was under way when it asked.
    expect(waitedMs.filter((ms) => ms > 0 && ms < 100_000)).toEqual([])
    expect(waitedMs.filter((ms) => ms >= 100_000)).not.toEqual([])
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
    await expectThrough(world, id, 3)
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

  describe.each<[how: string, read: (bytes: ArrayBuffer) => unknown]>([
    ['rejects with null', () => Promise.reject(null)],
    ['rejects with words', () => Promise.reject('No.')],
    ['rejects with NotReadableError', () => Promise.reject(new DOMException('Gone.', 'NotReadableError'))],
    ['rejects with DataError', () => Promise.reject(new DOMException('Bad.', 'DataError'))],
    ['calls itself full', () => Promise.reject(new HoldfastError('storage-full', 'Full.'))],
    ['calls itself stopped', () => Promise.reject(new HoldfastError('aborted', 'Stopped.'))],
    ['gives nothing', async () => undefined],
    ['gives too little', async (bytes) => bytes.slice(3)],
    ['gives too much', async (bytes) => new Uint8Array([...new Uint8Array(bytes), 1]).buffer],
    ['hangs', () => new Promise(() => {})],
  ])('of a read that %s', (_how, read) => {
    const worker = (world: World, isBad: (of: string) => boolean) => {
      const plain = world.worker()
      const payload: typeof plain.store.payload = async (of) => {
        const bytes = await plain.store.payload(of)
        return (await (isBad(of) ? read(bytes) : bytes)) as ArrayBuffer
      }
      return { ...plain, store: { ...plain.store, payload } }
    }

    // The oldest, one in the middle and the newest.
    const bad = [0, 7, 19].map((index) => chunkIdOf(id, index))

    it('once cost their chunks a wait', async () => {
      const world = createWorld()
      await recordSession(world, { chunks: 20 })
      const once = new Set<string>(bad)
      await drainOnce(
        world,
        worker(world, (of) => once.delete(of)),
      )
      await expectThrough(world, id, 20)
    })

    it('for ever are told, park their chunks alone, and keep no other session waiting', async () => {
      const world = createWorld()
      await recordSession(world, { chunks: 20 })
      await recordSession(world, { number: 2, chunks: 5 })
      const drain = createDrain(worker(world, (of) => bad.includes(of as ChunkId)))
      void drain.join('message')
      await world.clock.advance(110_000)
      expect((await world.session(id)).trouble?.error.code).toMatch(/^payload-/)
      await expectThrough(world, sessionIdOf(2), 5)
      await world.clock.advance(150_000)
      expect((await world.session(id)).tally).toMatchObject({ uploading: 3, confirmed: 17 })
      for (const chunk of await world.chunks(id))
        expect(await world.hasPayload(chunk)).toBe(bad.includes(chunk.id))
    })
  })

  // Promises 5, 6 of docs/guarantees.md.
  it.each(['entries', 'head'] as const)(
    'to read the %s of one session are its own, told, and end no drain, though the database calls them its own',
    async (what) => {
      const world = createWorld()
      await recordSession(world, { number: 1, chunks: 3 })
      const other = await recordSession(world, { number: 2, chunks: 20 })
      world.server.latencyMs = 100
      const { store, ...rest } = world.worker()
      let reads = 0
      const read: typeof store.read = (work) =>
        store.read((tx) => {
          const asked = tx[what].bind(tx) as (...of: unknown[]) => Promise<never>
          const fails = async (of: string, ...more: unknown[]) => {
            if (of !== id) return asked(of, ...more)
            reads++
            throw new OwnError('storage-failed', 'UnknownError')
          }
          return work(Object.assign(Object.create(tx) as typeof tx, { [what]: fails }))
        })
      expect(await drainOnce(world, { ...rest, store: { ...store, read } })).toBe('work-remains')
      await expectThrough(world, other, 20)
      expect(await world.session(id)).toMatchObject({ trouble: { error: { code: 'payload-unreadable' } } })
      expect(reads).toBeLessThan(40)
      expect(await drainOnce(world, world.worker())).toBe('idle')
      await expectThrough(world, id, 3)
    },
  )

  it('of whoever stops by himself are told, and not repeated at once', async () => {
    for (const who of ['transport', 'anchor'] as const) {
      const world = createWorld()
      await recordSession(world, { chunks: 3 })
      const worker = world.worker()
      let stops = 0
      const stopped = () => {
        stops++
        return Promise.reject(new HoldfastError('aborted', 'It was stopped.'))
      }
      if (who === 'anchor') worker.anchor.read = stopped
      else worker.transport.send = stopped
      void createDrain(worker).join('message')
      await world.clock.advance(100_000)
      expect(stops, who).toBeLessThan(60)
      expect(await world.session(id)).toMatchObject({ trouble: { error: { code: 'timeout' } } })
    }
  })

  // Promises 5, 6 of docs/guarantees.md.
  it.each(['sealed', 'raw'] as const)(
    'of the record of a session set its %s chunks apart once, are told, and cost no later look',
    async (kind) => {
      const world = createWorld()
      await recordSession(world, {
        chunks: 2,
        ending: 'recording',
        seal: kind === 'raw' ? 'worker' : 'page',
      })
      const chunks = await world.chunks(id)
      const bytes = await Promise.all(chunks.map((chunk) => world.disk.payload(chunk.id)))
      await world.disk.write(async (tx) => {
        await tx.deleteSession(id)
        for (const [index, chunk] of chunks.entries()) {
          await tx.putChunk(chunk)
          await tx.putPayload(chunk.id, bytes[index]!)
        }
      })
      const other = await recordSession(world, { number: 2, chunks: 2 })
      const { store, counts } = countedStore(world.disk)
      expect(await drainOnce(world, { ...world.worker(), store })).toBe('idle')
      expect(counts.transactions).toBeLessThan(60)
      await expectThrough(world, other, 2)

      const lines = await world.disk.read((tx) => tx.log(100))
      expect(lines.filter(({ event }) => event === 'recounted')).toHaveLength(1)
      for (const chunk of await world.chunks(id)) {
        expect(chunk.due).toBeUndefined()
        expect(await world.hasPayload(chunk)).toBe(true)
      }
      expect(await reply(world.worker(), ask({ type: 'sessions' }))).toMatchObject({
        value: [{ id, lastError: { code: 'defect' }, localBytes: sizeOf(chunks), paused: true }, {}],
      })
      // Its bytes can be saved, by whoever asks for them.
      for (const [index, chunk] of chunks.entries()) {
        const answer = await reply(world.worker(), ask({ type: 'bytes', sessionId: id, index }))
        const saved = answer.ok && (answer.value as Blob)
        expect(saved && new Uint8Array(await saved.arrayBuffer())).toEqual(new Uint8Array(bytes[index]!))
        expect(saved && saved.size).toBe(chunk.sizeBytes)
      }
      // It takes nothing more, a person cannot send it anywhere, and its bytes go with the word alone.
      const more = kind === 'raw' ? await rawChunk(id, 2) : await sealedChunk(id, 2)
      await expect(admitChunk(world.worker(), more)).rejects.toMatchObject({ code: 'unknown-session' })
      await resumeSession(world.worker(), id)
      expect(await drainOnce(world, world.worker())).toBe('idle')
      expect(world.server.stored.size).toBe(3)
      expect(await reply(world.worker(), ask({ type: 'discard', sessionId: id }))).toMatchObject({
        error: { code: 'not-confirmed' },
      })
      await reply(world.worker(), ask({ type: 'discard', sessionId: id, confirm: DISCARD_CONFIRMATION }))
      expect(await world.chunks(id)).toEqual([])
      for (const chunk of chunks) expect(await world.hasPayload(chunk)).toBe(false)
    },
  )

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
    const [bad, flaky] = (await world.chunks(id)).map(cidOf)
    let failed = false
    world.server.fault = (_op, of) => {
      if (of === bad) return { code: 'sign-in-needed' }
      if (of !== flaky || failed) return undefined
      failed = true
      return { code: 'server-error' }
    }
    await drainOnce(world, world.worker())
    expect(await world.session(id)).toMatchObject({ trouble: { error: { code: 'sign-in-needed' } } })
    expect((await world.session(id)).trouble?.retryAtMs).toBeUndefined()
  })

  // Promises 5, 6 of docs/guarantees.md.
  it.each(['chunks', 'pages'] as const)(
    'of %s alone, as on a link that is too slow, are told on, and since when, though all else gets through',
    async (what) => {
      const world = createWorld()
      await recordSession(world, { chunks: 3, ending: 'recording' })
      world.locks.hold(recordingLockName(id))
      const chunks = new Set((await world.chunks(id)).map(cidOf))
      const worker = world.worker()
      const { send } = worker.transport
      worker.transport.send = async (upload, ...rest) => {
        if (chunks.has(upload.cid) !== (what === 'chunks')) return send(upload, ...rest)
        await world.clock.sleep(20_000, new AbortController().signal)
        throw new HoldfastError('timeout', 'Too slow.')
      }
      const drain = createDrain(worker)
      const since: (number | undefined)[] = []
      for (let index = 3; index < 60; index++) {
        const more = await sealedChunk(id, index)
        await admitChunk(worker, more)
        chunks.add(cidOf((await world.chunks(id)).at(-1)))
        void drain.join('message')
        await world.clock.advance(3_000)
        since.push((await world.session(id)).trouble?.sinceMs)
      }
      const { anchored, storedBytes } = await world.session(id)
      expect([storedBytes > 0, !!anchored]).toEqual([what === 'pages', what === 'chunks'])
      // From the first failure on.
      expect(new Set(since.slice(10)).size).toBe(1)
      expect(since.at(-1)).toBeDefined()
      worker.transport.send = send
      await world.clock.advance(120_000)
      expect(await world.session(id)).toMatchObject({ trouble: undefined, tally: { uploading: 0 } })
    },
  )

  it('of an anchor that was refused are still told after another chunk went well', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'interrupted' })
    world.chain.fault = (op) => (op === 'submit' ? { code: 'anchor-rejected' } : undefined)
    await drainOnce(world, world.worker())
    expect((await world.session(id)).trouble?.error.code).toBe('anchor-rejected')
    await admitChunk(world.worker(), await sealedChunk(id, 1))
    await drainOnce(world, world.worker())
    expect(await world.statuses(id)).toEqual(['anchoring', 'anchoring'])
    expect((await world.session(id)).trouble?.error.code).toBe('anchor-rejected')
  })
})
