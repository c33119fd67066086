import { describe, expect, it } from 'vitest'
import { parseManifest } from '../../src/evidence/manifest-parse.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import { admitChunk } from './admit.ts'
import { resubmitDelayMs } from '../core/retry-policy.ts'
import type { Store } from '../ports/store.ts'
import { endSession, resumeSession } from './sessions.ts'
import { BLOCK_MS } from '../testing/fake-servers.ts'
import { workerLifetime } from '../testing/worker-lifetime.ts'
import {
  cidOf,
  createWorld,
  drainOnce,
  recordSession,
  sealedChunk,
  sessionIdOf,
  type World,
} from '../testing/world.ts'
import { createDrain } from './drain.ts'
import { publishStep } from './publisher.ts'
import { transfer } from './transfer.ts'

const id = sessionIdOf(1)
const ops = (world: World) => world.chain.ledger.map(({ op }) => op)
const lost = { code: 'unreachable', after: true } as const

/** Sends of this worker, by address. */
function recordSends(worker: ReturnType<World['worker']>) {
  const sends = new Map<string, Uint8Array<ArrayBuffer>>()
  const { send } = worker.transport
  worker.transport.send = (upload, bytes, ...rest) => {
    sends.set(upload.cid, bytes)
    return send(upload, bytes, ...rest)
  }
  return sends
}

describe('a publication', () => {
  it('stores a manifest that lists every verified chunk in order, then anchors its root', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    const worker = world.worker()
    const sends = recordSends(worker)
    await drainOnce(world, worker)
    const { anchored } = await world.session(id)
    const manifest = parseManifest(
      new Uint8Array(sends.get(anchored?.manifestCid ?? '') ?? new ArrayBuffer()),
    )
    expect(manifest).toMatchObject({ sessionId: id, status: 'complete', merkleRoot: anchored?.merkleRoot })
    const chunks = await world.chunks(id)
    expect(manifest.chunks.map(({ cid }) => cid)).toEqual(chunks.map(cidOf))
    expect(ops(world).slice(0, 3)).toEqual(['uploader', 'read', 'submit'])
  })

  // Promise 3 of docs/guarantees.md.
  it('waits for the depth: the newest block alone confirms nothing', async () => {
    const world = createWorld()
    await recordSession(world)
    const draining = createDrain(world.worker()).join('message')
    await world.clock.advance(BLOCK_MS + 1_100)
    expect(world.chain.entries).toHaveLength(1)
    expect(await world.statuses(id)).toEqual(['anchoring'])
    const [chunk] = await world.chunks(id)
    expect(chunk && (await world.hasPayload(chunk))).toBe(true)
    await world.clock.runUntil(draining)
    expect(await draining).toBe('idle')
    expect(await world.statuses(id)).toEqual(['confirmed'])
  })

  it('takes in what was verified meanwhile only with the next one', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2, ending: 'interrupted' })
    const drain = createDrain(world.worker())
    void drain.join('message')
    await world.clock.advance(1_000)
    expect(await world.statuses(id)).toEqual(['anchoring', 'anchoring'])
    await admitChunk(world.worker(), await sealedChunk(id, 2))
    const joined = drain.join('message')
    await world.clock.advance(10)
    expect(await world.statuses(id)).toEqual(['anchoring', 'anchoring', 'uploaded'])
    await world.clock.runUntil(joined)
    expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed', 'confirmed'])
    expect(world.chain.entries.map(({ request }) => request.chunkCount)).toEqual([2, 3])
  })

  it('closes with a final manifest when the session ended while it was in flight', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    world.locks.hold(`holdfast-recording:${id}`)
    const drain = createDrain(world.worker())
    const joined = drain.join('message')
    await world.clock.advance(30_500)
    expect((await world.session(id)).publication).toMatchObject({ ending: 'recording' })
    await endSession(world.worker(), id)
    await world.clock.runUntil(joined)
    expect(await joined).toBe('idle')
    expect((await world.session(id)).anchored).toMatchObject({ ending: 'complete', chunkCount: 1 })
    expect(world.chain.submits()).toBe(2)
  })

  // Promise 4 of docs/guarantees.md.
  it('is the same object after each death: one manifest, one key at the relay', async () => {
    for (let diesAt = 12; diesAt < 30; diesAt++) {
      const world = createWorld()
      await recordSession(world)
      await drainOnce(world, world.worker(workerLifetime(diesAt)))
      await world.clock.advance(5_000)
      await drainOnce(world, world.worker())
      expect(world.chain.relayed.size, `moment ${diesAt}`).toBe(1)
      expect(world.server.stored.size, `moment ${diesAt}`).toBe(2)
    }
  })
})

describe('a node that never answers', () => {
  it('is told by the publication that asked it, which asks again', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    const { read } = worker.anchor
    let reads = 0
    worker.anchor.read = (...args) => (reads++ === 0 ? new Promise(() => {}) : read(...args))
    const drain = createDrain(worker)
    for (let greetings = 0; greetings < 14; greetings++) {
      void drain.join('message')
      await world.clock.advance(20_000)
    }
    const log = await world.disk.read((tx) => tx.log(100))
    expect(log.flatMap(({ error }) => error?.code ?? [])).toEqual(['timeout'])
    void drain.join('message')
    await world.clock.advance(60_000)
    expect(await world.statuses(id)).toEqual(['confirmed'])
  })
})

describe('a chain that stands', () => {
  it('is told within two minutes, and no more once it grows', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    const { read } = worker.anchor
    const beganMs = world.clock.now()
    let standing: Promise<Awaited<ReturnType<typeof read>>> | undefined
    const stands = () => world.clock.now() - beganMs < 150_000
    worker.anchor.read = async (...args) => {
      const seen = await read(...args)
      if (seen.latest === undefined || !stands()) return seen
      const { deep: _notYet, ...shallow } = seen
      return (standing ??= Promise.resolve(shallow))
    }
    const drain = createDrain(worker)
    void drain.join('message')
    await world.clock.advance(120_000)
    expect((await world.session(id)).trouble?.error).toMatchObject({
      code: 'anchor-unseen',
      message: expect.stringContaining('stands at block') as unknown,
    })
    expect(world.chain.submits()).toBe(1)
    await world.clock.advance(120_000)
    const { trouble } = await world.session(id)
    expect({ trouble, statuses: await world.statuses(id) }).toEqual({ statuses: ['confirmed'] })
  })
})

describe('a session that cannot be published', () => {
  // Promise 5 of docs/guarantees.md.
  it('waits for a person, alone', async () => {
    const world = createWorld()
    await recordSession(world, { number: 1 })
    await recordSession(world, { number: 2 })
    const worker = world.worker()
    const { read } = worker.store
    const broken = { ...worker.store, read: spoilt(read) }
    expect(await drainOnce(world, { ...worker, store: broken })).toBe('idle')
    expect(await world.session(id)).toMatchObject({ paused: true, trouble: { error: { code: 'bad-input' } } })
    expect(await world.session(sessionIdOf(2))).not.toHaveProperty('open')

    await resumeSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(await world.statuses(id)).toEqual(['confirmed'])
  })

  /** Lists a chunk of the first session with an index that no manifest can have. */
  const spoilt =
    (read: Store['read']): Store['read'] =>
    (work) =>
      read((tx) =>
        work(
          Object.assign(Object.create(tx) as typeof tx, {
            chunksOf: async (of: SessionId) => {
              const chunks = await tx.chunksOf(of)
              return of === id ? chunks.map((chunk) => Object.assign(chunk, { index: -1 })) : chunks
            },
          }),
        ),
      )
})

describe('an anchor', () => {
  // Promise 4 of docs/guarantees.md.
  it('that the relay took, while its answer was lost, is looked for on the chain and not sent again', async () => {
    const world = createWorld()
    await recordSession(world)
    const takesOnce = () => world.chain.submits() === 0
    world.chain.fault = (op) =>
      op === 'submit' && takesOnce() ? { ...lost, retryAfterMs: 5_000 } : undefined
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(await world.statuses(id)).toEqual(['confirmed'])
    expect(world.chain.submits()).toBe(1)
    expect(ops(world).slice(0, 4)).toEqual(['uploader', 'read', 'submit', 'read'])
  })

  // Promise 3 of docs/guarantees.md.
  it('that was in the newest block and is reorganised away is sent again, and confirmed then', async () => {
    const world = createWorld()
    await recordSession(world)
    const startMs = world.clock.now()
    const draining = createDrain(world.worker()).join('message')
    await world.clock.advance(BLOCK_MS + 1_100)
    expect(await world.statuses(id)).toEqual(['anchoring'])
    world.chain.entries.length = 0
    await world.clock.runUntil(draining)
    expect(await draining).toBe('idle')
    expect(await world.statuses(id)).toEqual(['confirmed'])
    expect(world.chain.submits()).toBe(2)
    expect([...world.chain.relayed.values()]).toEqual([2])
    expect(world.clock.now() - startMs).toBeGreaterThanOrEqual(resubmitDelayMs(0))
  })

  it('that the relay never puts on the chain is handed over again after a while, not at each look', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    const { submit } = worker.anchor
    worker.anchor.submit = async (...args) => {
      await submit(...args)
      world.chain.entries.length = 0
    }
    const beganMs = world.clock.now()
    while (world.clock.now() - beganMs < 2 * 60 * 60_000) {
      await drainOnce(world, worker)
      await world.clock.advance(30_000)
    }
    // Until the wait is a quarter of an hour: 0, 15, 45, 105 s …
    expect(world.chain.submits()).toBeGreaterThan(8)
    expect(world.chain.submits()).toBeLessThan(20)
  })

  // Promise 7 of docs/guarantees.md.
  it('that the relay takes and never puts on the chain is told within two minutes, until it is there', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    const { submit } = worker.anchor
    let isMined = false
    worker.anchor.submit = async (...args) => {
      await submit(...args)
      if (!isMined) world.chain.entries.length = 0
    }
    const beganMs = world.clock.now()
    const draining = createDrain(worker).join('message')
    await world.clock.advance(110_000)
    const { trouble } = await world.session(id)
    expect(trouble).toMatchObject({ error: { code: 'anchor-unseen' } })
    expect(trouble?.sinceMs).toBeLessThan(beganMs + 60_000)
    isMined = true
    await world.clock.runUntil(draining)
    await world.clock.advance(3_600_000)
    await drainOnce(world, worker)
    expect(await world.statuses(id)).toEqual(['confirmed'])
    expect((await world.session(id)).trouble).toBeUndefined()
  })

  // Promise 3 of docs/guarantees.md.
  it('under another root, count or manifest is not ours', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    const { submit } = worker.anchor
    worker.anchor.submit = (request, signal) =>
      submit({ ...request, chunkCount: request.chunkCount + 1 }, signal)
    expect(await drainOnce(world, worker, 'push')).toBe('work-remains')
    expect(await world.statuses(id)).toEqual(['anchoring'])
    const [chunk] = await world.chunks(id)
    expect(chunk && (await world.hasPayload(chunk))).toBe(true)
  })

  // Promise 3 of docs/guarantees.md.
  it('that is deep, and replaced in the newest block, confirms nothing', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    const { read } = worker.anchor
    worker.anchor.read = async (...args) => {
      const { latest, ...seen } = await read(...args)
      return { ...seen, ...(latest && { latest: { ...latest, merkleRoot: 'f'.repeat(64) } }) }
    }
    expect(await drainOnce(world, worker, 'push')).toBe('work-remains')
    expect(await world.statuses(id)).toEqual(['anchoring'])
  })

  it('whose answer was lost is not handed over again before the relay has had its time', async () => {
    const world = createWorld()
    await recordSession(world)
    let lose = true
    world.chain.fault = (op) => (op === 'submit' && lose ? lost : undefined)
    const worker = world.worker()
    const { submit } = worker.anchor
    worker.anchor.submit = (...args) => submit(...args).finally(() => (lose = false))
    // It is mined, but not before the relay would be asked again.
    const { read } = worker.anchor
    const beganMs = world.clock.now()
    worker.anchor.read = async (...args) =>
      world.clock.now() - beganMs < resubmitDelayMs(0) - 1_000 ? { blockNumber: 1 } : read(...args)
    await drainOnce(world, worker)
    expect(world.chain.submits()).toBe(1)
  })

  it('that another than the manifest names has signed confirms nothing, and is told', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 1 })
    world.chain.creator = `0x${'c'.repeat(40)}`
    await drainOnce(world, world.worker())
    const { trouble } = await world.session(id)
    expect(trouble?.error).toMatchObject({
      code: 'anchor-rejected',
      message: expect.stringContaining(world.chain.creator) as unknown,
    })
    expect(await world.statuses(id)).toEqual(['anchoring'])
    for (const chunk of await world.chunks(id)) expect(await world.hasPayload(chunk)).toBe(true)
    expect(world.chain.submits()).toBe(1)
  })

  it('by another signer than the manifest names, who is the relay’s by now, is followed by one in that name', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    world.chain.creator = `0x${'c'.repeat(40)}`
    await drainOnce(world, world.worker(), 'push')
    expect((await world.session(id)).trouble?.error.code).toBe('anchor-rejected')
    const wrong = (await world.session(id)).publication?.manifest?.cid

    const worker = world.worker()
    worker.anchor.uploader = async () => world.chain.creator
    const sends = recordSends(worker)
    await resumeSession(worker, id)
    expect(await drainOnce(world, worker)).toBe('idle')
    const { anchored, trouble } = await world.session(id)
    expect(trouble).toBeUndefined()
    expect(anchored?.manifestCid).not.toBe(wrong)
    const manifest = parseManifest(sends.get(anchored?.manifestCid ?? '') ?? new Uint8Array())
    expect(manifest).toMatchObject({ uploader: world.chain.creator, merkleRoot: anchored?.merkleRoot })
    expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
    expect(world.chain.submits()).toBe(2)
  })

  it('is by the signer of the manifest, however the address is written', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 1 })
    world.chain.creator = `0x${'AB'.repeat(20)}`
    await drainOnce(world, world.worker())
    expect(await world.statuses(id)).toEqual(['confirmed'])
  })

  it.each(['wrong-chain', 'nodes-disagree', 'server-error'] as const)(
    'is handed to no relay while the chain cannot be read (%s), which is told at once and parks nothing',
    async (code) => {
      const world = createWorld()
      await recordSession(world, { chunks: 1 })
      let away = true
      world.chain.fault = (op) => (op === 'read' && away ? { code } : undefined)
      expect(await drainOnce(world, world.worker())).toBe('work-remains')
      const session = await world.session(id)
      expect(session.trouble?.error.code).toBe(code)
      expect(session.publication?.wait.kind).toBe('due')
      expect(world.chain.submits()).toBe(0)
      away = false
      await drainOnce(world, world.worker())
      expect(await world.statuses(id)).toEqual(['confirmed'])
    },
  )

  it('that is refused parks the publication with every byte, and says why', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    world.chain.fault = (op) => (op === 'submit' ? { code: 'anchor-rejected' } : undefined)
    expect(await drainOnce(world, world.worker())).toBe('work-remains')
    const session = await world.session(id)
    expect(session.trouble?.error.code).toBe('anchor-rejected')
    expect(session.publication).toMatchObject({ stage: 'anchoring', wait: { kind: 'parked' } })
    for (const chunk of await world.chunks(id)) expect(await world.hasPayload(chunk)).toBe(true)
  })
})

describe('a step that is late, because the lock was taken from its worker', () => {
  const never = new AbortController().signal

  /** The first publication is concluded while another worker has read the same, and is slow to go on. */
  async function lateConclusion() {
    const world = createWorld()
    await recordSession(world, { chunks: 1, ending: 'interrupted' })
    const a = world.worker()
    const upload = async (index: number) => {
      const chunk = (await world.chunks(id))[index]
      if (chunk) await world.clock.runUntil(transfer(a, chunk, never))
    }
    const steps = async (count: number) => {
      for (let left = count; left > 0; left--) await world.clock.runUntil(publishStep(a, id, never))
    }
    await upload(0)
    // Begun, named, stored, handed over.
    await steps(4)
    await world.clock.advance(3 * BLOCK_MS)

    const late = world.worker()
    let goOn = () => {}
    const released = new Promise<void>((resolve) => (goOn = resolve))
    const { read } = late.anchor
    late.anchor.read = async (...args) => {
      const seen = await read(...args)
      await released
      return seen
    }
    const stale = publishStep(late, id, never)
    await world.clock.advance(10)
    await steps(1)
    expect(await world.statuses(id)).toEqual(['confirmed'])
    return { world, upload, steps, concludes: () => (goOn(), world.clock.runUntil(stale)) }
  }

  // Promise 3 of docs/guarantees.md.
  it('confirms nothing of the next publication, and deletes none of its bytes', async () => {
    const { world, upload, steps, concludes } = await lateConclusion()
    await admitChunk(world.worker(), await sealedChunk(id, 1))
    await upload(1)
    await steps(3)
    const before = await world.session(id)
    await concludes()
    expect(await world.statuses(id)).toEqual(['confirmed', 'anchoring'])
    expect(await world.session(id)).toEqual(before)
    const second = (await world.chunks(id))[1]
    expect(second && (await world.hasPayload(second))).toBe(true)
  })

  it('changes nothing of a session that is settled', async () => {
    const { world, concludes } = await lateConclusion()
    const before = await world.session(id)
    await concludes()
    expect(await world.session(id)).toEqual(before)
  })
})
