import { describe, expect, it } from 'vitest'
import { DISCARD_CONFIRMATION } from '../../src/protocol/messages.ts'
import { sessionView } from '../core/view.ts'
import { countedStore } from '../testing/counted-store.ts'
import { fakeDisk } from '../testing/fake-disk.ts'
import { expectThrough } from '../testing/expect-through.ts'
import { publishedLog } from '../testing/published-log.ts'
import { workerLifetime } from '../testing/worker-lifetime.ts'
import { admitChunk } from './admit.ts'
import { signingKeyName } from '../core/session.ts'
import { createDrain } from './drain.ts'
import {
  discardSession,
  endSession,
  interruptSession,
  noteSession,
  pauseSession,
  resumeSession,
  startSession,
} from './sessions.ts'
import {
  aStart,
  createWorld,
  drainOnce,
  recordSession,
  sealedChunk,
  sessionIdOf,
  type World,
} from '../testing/world.ts'

const id = sessionIdOf(1)

describe('startSession', () => {
  it('is answered the same when it is repeated, and tells the pages', async () => {
    const world = createWorld()
    const first = await startSession(world.worker(), aStart())
    expect(await startSession(world.worker(), aStart())).toEqual(first)
    expect(world.announced).toContain(id)
  })

  it('refuses another recording under the same id, and keeps the first', async () => {
    const world = createWorld()
    await startSession(world.worker(), aStart())
    // Each start has a key of its own.
    const other = { ...aStart(), publicKey: '9'.repeat(128), mimeType: 'video/mp4' }
    await expect(startSession(world.worker(), other)).rejects.toMatchObject({ code: 'session-exists' })
    expect(await world.session(id)).toMatchObject({ mimeType: 'video/webm', access: aStart().access })
  })

  it('keeps the signing key apart from the session, in a form that gives nothing away', async () => {
    const world = createWorld()
    const session = await startSession(world.worker(), aStart())
    expect(session).not.toHaveProperty('signingKey')
    const key = await world.disk.read((tx) => tx.meta(signingKeyName(id)))
    expect(key).toBeInstanceOf(CryptoKey)
    expect(key).toMatchObject({ extractable: false, usages: ['sign'] })
  })

  it('refuses a signing key that is none, before anything is stored', async () => {
    const world = createWorld()
    const start = { ...aStart(), signingKey: new ArrayBuffer(138) }
    await expect(startSession(world.worker(), start)).rejects.toMatchObject({ code: 'bad-input' })
    expect(await world.disk.read((tx) => tx.sessions())).toEqual([])
  })

  it('goes on with the key in bytes where the browser stores no keys', async () => {
    const world = createWorld()
    const worker = keepsNoKeys(world.worker())
    await startSession(worker, aStart())
    expect(await world.disk.read((tx) => tx.meta(signingKeyName(id)))).toBeInstanceOf(ArrayBuffer)
    await admitChunk(worker, await sealedChunk(id, 0))
    await endSession(worker, id)
    expect(await drainOnce(world, worker)).toBe('idle')
    await expectThrough(world, id, 1)
  })
})

// Promises 5, 9 of docs/guarantees.md.
describe('beyond 200 settled sessions', () => {
  it('a start forgets the oldest of them with all that they left, and never one that is not settled', async () => {
    const world = createWorld()
    const settled = await recordSession(world, { number: 1, chunks: 2 })
    await drainOnce(world, world.worker())
    const open = await recordSession(world, { number: 2, startedAtMs: 1 })
    const oldest = await world.session(settled)
    await world.disk.write(async (tx) => {
      for (let later = 1; later <= 201; later++)
        await tx.putSession({
          ...oldest,
          id: sessionIdOf(1_000 + later),
          startedAtMs: oldest.startedAtMs + later,
        })
    })
    const known = async () => new Set((await world.disk.read((tx) => tx.sessions())).map((each) => each.id))
    const all = await known()

    await startSession(world.worker(), aStart(3))
    const kept = await known()
    expect([...all].filter((each) => !kept.has(each)).sort()).toEqual([settled, sessionIdOf(1_001)])
    expect(kept).toContain(open)
    expect(world.announced).toContain(settled)
    const left = await world.disk.read(async (tx) => [
      await tx.chunksOf(settled),
      await tx.entries(settled, 0, Infinity),
      await tx.head(settled, oldest.size),
    ])
    expect(left).toEqual([[], [], undefined])

    await startSession(world.worker(), aStart(4))
    expect((await known()).size).toBe(kept.size + 1)
  })

  it('a few go at each start, the oldest first', async () => {
    const world = createWorld()
    const settled = await recordSession(world)
    await drainOnce(world, world.worker())
    const first = await world.session(settled)
    await world.disk.write(async (tx) => {
      for (let at = 1; at <= 220; at++)
        await tx.putSession({ ...first, id: sessionIdOf(1_000 + at), startedAtMs: first.startedAtMs + at })
    })
    await startSession(world.worker(), aStart(3))
    const left = await world.disk.read((tx) => tx.sessions())
    // 221 are settled, and the new one is not.
    expect(left).toHaveLength(218)
    for (const at of [1, 1_001, 1_002, 1_003])
      expect(left.map(({ id: each }) => each)).not.toContain(sessionIdOf(at))
  })
})

/** A worker in a private window of Firefox. */
function keepsNoKeys(worker: ReturnType<World['worker']>) {
  const { write } = worker.store
  const refusing: typeof write = (work) =>
    write((tx) =>
      work(
        Object.assign(Object.create(tx) as typeof tx, {
          putMeta: async (name: string, value: unknown) => {
            if (value instanceof CryptoKey) throw new DOMException('It cannot be cloned.', 'DataCloneError')
            await tx.putMeta(name, value)
          },
        }),
      ),
    )
  return { ...worker, store: { ...worker.store, write: refusing } }
}

describe('the signing key', () => {
  const hasKey = (world: World) =>
    world.disk.read(async (tx) => (await tx.meta(signingKeyName(id))) !== undefined)

  // Promise 7 of docs/guarantees.md.
  it('is gone once the head of a complete recording is signed, and not before', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'interrupted' })
    expect(await drainOnce(world, world.worker())).toBe('idle')
    // Its page may still come back.
    expect(await hasKey(world)).toBe(true)
    await endSession(world.worker(), id)
    world.chain.fault = () => ({ code: 'unreachable' })
    await drainOnce(world, world.worker(), 'push')
    expect((await world.session(id)).listed.tree.size).toBe((await world.session(id)).size)
    expect(await hasKey(world)).toBe(false)
    world.chain.fault = () => undefined
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 1)
  })

  it('is gone with an empty session, and with a discarded one', async () => {
    const world = createWorld()
    await startSession(world.worker(), aStart())
    await endSession(world.worker(), id)
    expect(await hasKey(world)).toBe(false)

    const other = createWorld()
    await startSession(other.worker(), aStart())
    await discardSession(other.worker(), id, 'discard-unconfirmed')
    expect(await hasKey(other)).toBe(false)
  })
})

describe('an end', () => {
  it('counts once, and keeps its time', async () => {
    const world = createWorld()
    await recordSession(world)
    const { endedAtMs } = await world.session(id)
    await world.clock.advance(5_000)
    await endSession(world.worker(), id)
    expect((await world.session(id)).endedAtMs).toBe(endedAtMs)
  })

  it('said by its page is never taken back by a death', async () => {
    const world = createWorld()
    await recordSession(world)
    expect(await interruptSession(world.worker(), id)).toBeUndefined()
    expect((await world.session(id)).ending).toBe('complete')
  })

  it('of a death says so once, and nothing of a session that is gone', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    expect(await interruptSession(world.worker(), id)).toBeDefined()
    expect(await interruptSession(world.worker(), id)).toBeUndefined()
    expect(await interruptSession(world.worker(), sessionIdOf(9))).toBeUndefined()
  })

  // Promise 1 of docs/guarantees.md.
  it('is no whole one while chunks are missing that the page has cut, and is once they are here', async () => {
    const world = createWorld()
    const worker = world.worker()
    await recordSession(world, { chunks: 2, ending: 'recording' })
    const ended = await endSession(worker, id, 3)
    expect(sessionView(ended, worker.progress)).toMatchObject({ ending: 'interrupted', missing: 1 })
    await admitChunk(worker, await sealedChunk(id, 2))
    const whole = await endSession(worker, id, 3)
    expect(sessionView(whole, worker.progress)).toMatchObject({ ending: 'complete', missing: 0 })
  })

  it('of a page that was taken for dead tells what is missing all the same', async () => {
    const world = createWorld()
    const worker = world.worker()
    await recordSession(world, { chunks: 1, ending: 'interrupted' })
    expect((await endSession(worker, id, 2)).indexes).toBe(2)
    expect((await world.session(id)).ending).toBe('interrupted')
  })

  it('settles an empty recording at once, with nothing to publish', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 0 })
    expect((await world.session(id)).open).toBeUndefined()
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(world.chain.ledger).toEqual([])
  })

  it.each([endSession, pauseSession, resumeSession])(
    'of an unknown session is refused (%o)',
    async (change) => {
      await expect(change(createWorld().worker(), id)).rejects.toMatchObject({ code: 'unknown-session' })
    },
  )
})

// Promise 5 of docs/guarantees.md.
it('a discard at any moment of a drain leaves nothing of its session, and no other waiting', async () => {
  for (let atMs = 0; atMs < 9_000; atMs += 300) {
    const disk = fakeDisk()
    const world = { ...createWorld(), disk: { ...disk, close: () => undefined } }
    const store = { ...disk, close: () => undefined }
    const worker = () => ({ ...world.worker(), store })
    world.server.latencyMs = 200
    for (const number of [1, 2]) {
      await startSession(worker(), aStart(number))
      for (const index of [0, 1, 2]) await admitChunk(worker(), await sealedChunk(sessionIdOf(number), index))
      await endSession(worker(), sessionIdOf(number))
    }
    const drain = createDrain(worker()).join('message')
    await world.clock.advance(atMs)
    await discardSession(worker(), id, DISCARD_CONFIRMATION)
    await world.clock.runUntil(drain)
    expect(await drain).toBe('idle')
    const { sessions, chunks, payloads, entries, heads, meta } = disk.state
    const left = [sessions, chunks, payloads, entries, heads, meta].flatMap((of) => Array.from(of.keys()))
    expect(left.filter((key) => key.includes(id))).toEqual([])
    expect(sessions.get(sessionIdOf(2))?.open).toBeUndefined()
  }
})

describe('a note', () => {
  const note = (index: number) => ({ index, atMs: 7_000 + index, sealed: 'abcd' })
  const notesOf = async (world: World) =>
    (await publishedLog(world, id)).entries.filter(({ kind }) => kind === 'note')

  // Promise 1 of docs/guarantees.md.
  it('is in the log once, whatever died before its answer', async () => {
    let diesAt = 0
    for (let died = true; died;) {
      const world = createWorld()
      await recordSession(world, { ending: 'recording' })
      const alive = workerLifetime(++diesAt)
      const over = new Promise<boolean>((resolve) => alive.onDeath(() => resolve(true)))
      died = await Promise.race([over, noteSession(world.worker(alive), id, note(0)).then(() => false)])
      await noteSession(world.worker(), id, note(0))
      await admitChunk(world.worker(), await sealedChunk(id, 1))
      await noteSession(world.worker(), id, note(1))
      await endSession(world.worker(), id)
      expect(await drainOnce(world, world.worker())).toBe('idle')
      await expectThrough(world, id, 2)
      const { entries } = await publishedLog(world, id)
      expect(entries.map(({ kind }) => kind)).toEqual(['session', 'chunk', 'note', 'chunk', 'note', 'end'])
      expect(await notesOf(world)).toMatchObject([0, 1].map((at) => ({ atMs: 7_000 + at, sealed: 'abcd' })))
    }
    expect(diesAt).toBeGreaterThan(1)
  })

  it('of a recording that is over is refused, but for one that it has', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    await noteSession(world.worker(), id, note(0))
    await endSession(world.worker(), id)
    const { size } = await world.session(id)
    await noteSession(world.worker(), id, note(0))
    await expect(noteSession(world.worker(), id, note(1))).rejects.toMatchObject({ code: 'session-ended' })
    expect((await world.session(id)).size).toBe(size)
    const unknown = noteSession(world.worker(), sessionIdOf(9), note(0))
    await expect(unknown).rejects.toMatchObject({ code: 'unknown-session' })
  })

  it('makes a recording without a chunk one that is published', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 0, ending: 'recording' })
    await noteSession(world.worker(), id, note(0))
    await endSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 0)
    expect(await notesOf(world)).toHaveLength(1)
  })
})

describe('pause and resume', () => {
  it('a second time change nothing, and write nothing', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 20 })
    await pauseSession(world.worker(), id)
    const before = await world.session(id)
    const { store, counts } = countedStore(world.disk)
    expect(await pauseSession({ ...world.worker(), store }, id)).toEqual(before)
    // The session and its chunks are read, and the session is told.
    expect(counts.records).toBeLessThanOrEqual(22)
  })

  it('take the chunks out of the queue, and put them back in order', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    const before = await world.chunks(id)
    expect((await pauseSession(world.worker(), id)).paused).toBe(true)
    for (const chunk of await world.chunks(id)) expect(chunk.due).toBeUndefined()
    expect((await resumeSession(world.worker(), id)).paused).toBe(false)
    expect(await world.chunks(id)).toEqual(before)
  })

  it('let a session recorded meanwhile go on with all of it', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    await pauseSession(world.worker(), id)
    const other = await recordSession(world, { number: 2 })
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(await world.statuses(other)).toEqual(['confirmed'])
    expect(await world.statuses(id)).toEqual(['uploading', 'uploading'])
  })

  // Promise 5 of docs/guarantees.md.
  it('try whatever is parked again, now, and forget the trouble', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    world.server.fault = () => ({ code: 'sign-in-needed' })
    await drainOnce(world, world.worker())
    expect(await world.session(id)).toMatchObject({
      parked: 2,
      trouble: { error: { code: 'sign-in-needed' } },
    })
    const resumed = await resumeSession(world.worker(), id)
    expect(resumed.parked).toBe(0)
    expect(resumed.trouble).toBeUndefined()
    world.server.fault = () => undefined
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
  })

  // Promise 5 of docs/guarantees.md.
  it('try a refused anchor again', async () => {
    const world = createWorld()
    await recordSession(world)
    world.chain.fault = (op) => (op === 'submit' ? { code: 'anchor-rejected' } : undefined)
    expect(await drainOnce(world, world.worker())).toBe('work-remains')
    expect((await world.session(id)).witnessing.notBeforeMs).toBe(Infinity)
    world.chain.fault = () => undefined
    await resumeSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(await world.statuses(id)).toEqual(['confirmed'])
  })
})

describe('a discard', () => {
  // Promise 5 of docs/guarantees.md.
  it('takes two steps while the chain does not hold all of it', async () => {
    const world = createWorld()
    await recordSession(world)
    const [chunk] = await world.chunks(id)
    for (const word of [undefined, '', 'yes', 'Discard-unconfirmed'])
      await expect(discardSession(world.worker(), id, word)).rejects.toMatchObject({ code: 'not-confirmed' })
    expect(chunk && (await world.hasPayload(chunk))).toBe(true)

    await discardSession(world.worker(), id, 'discard-unconfirmed')
    expect(await world.disk.read((tx) => tx.session(id))).toBeUndefined()
    expect(await world.chunks(id)).toEqual([])
    expect(chunk && (await world.hasPayload(chunk))).toBe(false)
    expect((await world.disk.read((tx) => tx.log(1)))[0]).toMatchObject({ sessionId: id, event: 'discarded' })
  })

  it('needs no confirmation once all of it is confirmed', async () => {
    const world = createWorld()
    await recordSession(world)
    await drainOnce(world, world.worker())
    const other = await recordSession(world, { number: 2 })
    await discardSession(world.worker(), id, undefined)
    expect((await world.disk.read((tx) => tx.sessions())).map((one) => one.id)).toEqual([other])
    // Its copy and its proof are elsewhere: here nothing tells of it any more.
    const lines = await world.disk.read((tx) => tx.log(Infinity))
    expect(new Set(lines.map(({ sessionId }) => sessionId))).toEqual(new Set([other]))
  })

  it('in the middle of an upload leaves nothing behind, and stops nobody else', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    const other = await recordSession(world, { number: 2 })
    world.server.latencyMs = 1_000
    const draining = createDrain(world.worker()).join('message')
    await world.clock.advance(500)
    await discardSession(world.worker(), id, 'discard-unconfirmed')
    await world.clock.runUntil(draining)
    expect(await draining).toBe('idle')
    expect(await world.chunks(id)).toEqual([])
    expect(await world.statuses(other)).toEqual(['confirmed'])
  })

  // Promise 1 of docs/guarantees.md.
  it('of a start that its page takes back leaves nothing that could be interrupted', async () => {
    const world = createWorld()
    await startSession(world.worker(), aStart())
    await discardSession(world.worker(), id, 'discard-unconfirmed')
    // Its page lets go of the lock: no death.
    expect(await interruptSession(world.worker(), id)).toBeUndefined()
    expect(await world.disk.read((tx) => tx.sessions())).toEqual([])
  })

  it('of a publication in flight leaves nothing behind', async () => {
    const world = createWorld()
    await recordSession(world)
    world.chain.fault = () => ({ code: 'server-error' })
    await drainOnce(world, world.worker(), 'push')
    const draining = createDrain(world.worker()).join('message')
    await discardSession(world.worker(), id, 'discard-unconfirmed')
    await world.clock.runUntil(draining)
    expect(await draining).toBe('idle')
    expect(await world.disk.read((tx) => tx.sessions())).toEqual([])
  })
})

describe('a discard', () => {
  it('whose transaction runs again after it was committed is a discard, and so is one of what is gone', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    const { write } = worker.store
    const twice: typeof write = async (work) => {
      await write(work)
      return write(work)
    }
    const falling = { ...worker, store: { ...worker.store, write: twice } }
    await discardSession(falling, id, 'discard-unconfirmed')
    expect(await world.disk.read((tx) => tx.session(id))).toBeUndefined()
    await discardSession(worker, id, undefined)
  })
})
