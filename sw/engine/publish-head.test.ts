import { describe, expect, it } from 'vitest'
import { parseSignedHead } from '../../src/evidence/head-parse.ts'
import { verifyHead } from '../../src/evidence/head.ts'
import { recordingLockName } from '../../src/protocol/messages.ts'
import type { Upload } from '../ports/transport.ts'
import { createWorld, drainOnce, recordSession, sessionIdOf, type World } from '../testing/world.ts'
import { workerLifetime, type WorkerLifetime } from '../testing/worker-lifetime.ts'
import type { Context } from './context.ts'
import { adoptSession, resumeSession } from './sessions.ts'

// Promise 3 of docs/guarantees.md, where there is no chain.

const id = sessionIdOf(1)

/** A worker that has no anchor. */
function without(world: World, lifetime?: WorkerLifetime) {
  const { anchor: _chain, ...worker } = world.worker(lifetime)
  return worker as Context as ReturnType<World['worker']>
}

/** What has been published as the head of a session. */
function headAt(world: World, address: string | undefined) {
  const bytes = world.server.bytes.get(address ?? '')
  if (!bytes) throw new Error('There is no head.')
  return parseSignedHead(bytes)
}

async function expectThrough(world: World, chunks: number): Promise<void> {
  expect(await world.statuses(id)).toEqual(Array.from({ length: chunks }, () => 'confirmed'))
  for (const chunk of await world.chunks(id)) expect(await world.hasPayload(chunk)).toBe(false)
  const { anchored, size, name, open, localBytes } = await world.session(id)
  expect({ open, localBytes, size: anchored?.size }).toEqual({ open: undefined, localBytes: 0, size })
  const head = headAt(world, anchored?.address)
  expect(head).toMatchObject({ name, size, root: anchored?.root, page: anchored?.page, end: true })
  expect(await verifyHead(head, head.publicKey, head.signature)).toBe(true)
}

describe('without an anchor', () => {
  it('a session is settled once its store has the signed head, of which the snapshot says the address', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    expect(await drainOnce(world, without(world))).toBe('idle')
    await expectThrough(world, 3)
    const { anchored } = await world.session(id)
    expect(anchored?.blockNumber).toBeUndefined()
    expect(world.chain.ledger).toEqual([])
  })

  it('no bytes are deleted while the store does not take the head', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    const pages = new Set<string>()
    const worker = without(world)
    const { transport } = worker
    const refusing = {
      ...transport,
      send: (upload: Upload, ...rest: never) => {
        if (upload.head) return Promise.reject(new Error('No heads here.'))
        pages.add(upload.cid)
        return (transport.send as (...all: unknown[]) => Promise<'proved'>)(upload, ...(rest as unknown[]))
      },
    }
    await drainOnce(world, { ...worker, transport: refusing as typeof transport })
    expect(await world.statuses(id)).toEqual(['anchoring', 'anchoring'])
    for (const chunk of await world.chunks(id)) expect(await world.hasPayload(chunk)).toBe(true)
    await resumeSession(without(world), id)
    expect(await drainOnce(world, without(world))).toBe('idle')
    await expectThrough(world, 2)
  })

  it('a head that may have been sent is asked for first, also after a person resumes the session', async () => {
    const world = createWorld()
    await recordSession(world)
    let heads = 0
    const worker = without(world)
    const { transport } = worker
    const seen: string[] = []
    const watching = (context: Context): Context['transport'] => ({
      ...context.transport,
      probe: (upload, attempt) => {
        if (upload.head) seen.push('probe')
        return context.transport.probe(upload, attempt)
      },
      send: async (upload, ...rest) => {
        const sent = await context.transport.send(upload, ...rest)
        if (!upload.head) return sent
        seen.push('send')
        // The store has it, and its answer is lost.
        if (heads++ === 0) throw new Error('No answer.')
        return sent
      },
    })
    await drainOnce(world, { ...worker, transport: { ...transport, ...watching(worker) } })
    await resumeSession(without(world), id)
    const next = without(world)
    await drainOnce(world, { ...next, transport: watching(next) })
    await expectThrough(world, 1)
    expect(seen).toEqual(['send', 'probe'])
  })

  it('an adopted session asks for its head before it sends it: it may have moved with its store', async () => {
    const world = createWorld()
    const die = world.locks.hold(recordingLockName(id))
    await recordSession(world, { ending: 'recording' })
    await drainOnce(world, without(world), 'push')
    const { anchored } = await world.session(id)
    const renamed = { ...without(world), identity: 'renamed' }
    await adoptSession(renamed, id)
    await drainOnce(world, renamed, 'push')
    die()
    expect((await world.session(id)).anchored?.address).toBe(anchored?.address)
    const sent = world.server.ledger.filter(({ op, of }) => op === 'send' && of === anchored?.address)
    expect(sent).toHaveLength(1)
  })

  it('a chunk that is proved after its head was is confirmed on it, and nobody is asked', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    const [, late] = await world.chunks(id)
    const cid = late?.state.seal?.cid
    world.server.fault = (_op, of) => (of === cid ? { code: 'unreachable' } : undefined)
    await drainOnce(world, without(world), 'push')
    expect(await world.statuses(id)).toEqual(['confirmed', 'uploading'])
    const { anchored } = await world.session(id)
    const asked = () => world.server.ledger.filter(({ of }) => of === anchored?.address).length
    const before = asked()
    world.server.fault = () => undefined
    await world.clock.advance(20_000)
    await drainOnce(world, without(world))
    await expectThrough(world, 2)
    expect(asked()).toBe(before)
  })

  it('a head whose proof is old is asked for again before anything is deleted on it', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    const cid = (await world.chunks(id))[1]?.state.seal?.cid
    world.server.fault = (_op, of) => (of === cid ? { code: 'unreachable' } : undefined)
    await drainOnce(world, without(world), 'push')
    const { anchored } = await world.session(id)
    world.server.fault = () => undefined
    world.server.stored.delete(anchored?.address ?? '')
    await world.clock.advance(3_600_000)
    await drainOnce(world, without(world))
    await expectThrough(world, 2)
    expect(world.server.stored.has(anchored?.address ?? '')).toBe(true)
  })

  it('a death at any moment loses nothing, and sends no head twice', async () => {
    for (let diesAt = 1; ; diesAt++) {
      const world = createWorld()
      await recordSession(world)
      const lifetime = workerLifetime(diesAt)
      await drainOnce(world, without(world, lifetime))
      if (!lifetime.dead) break
      await drainOnce(world, without(world))
      await expectThrough(world, 1)
      const { anchored } = await world.session(id)
      expect(world.server.stored.get(anchored?.address ?? ''), `death at ${diesAt}`).toBe(1)
    }
  })

  it('what its store confirmed stays so when the app has an anchor later, and what comes after is anchored', async () => {
    const world = createWorld()
    await recordSession(world)
    await recordSession(world, { number: 2, ending: 'recording' })
    await drainOnce(world, without(world), 'push')
    await world.clock.advance(120_000)
    const before = await world.session(id)
    await drainOnce(world, world.worker(), 'push')
    expect(await world.session(id)).toEqual(before)
    expect(world.chain.ledger).toEqual([])
  })
})
