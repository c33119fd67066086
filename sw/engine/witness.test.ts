import { describe, expect, it } from 'vitest'
import { groupsDigest } from '../../src/evidence/head.ts'
import type { Sha256Hex } from '../../src/protocol/ids.ts'
import { recordingLockName } from '../../src/protocol/messages.ts'
import type { AnchorRequest, WitnessedHead } from '../ports/anchor.ts'
import { PROOF_LASTS_MS, resubmitDelayMs, STANDING_MS } from '../core/retry-policy.ts'
import { expectThrough } from '../testing/expect-through.ts'
import { pageCid } from '../../src/evidence/page.ts'
import { BLOCK_MS } from '../testing/fake-servers.ts'
import { expectTrueHead, publishedLog } from '../testing/published-log.ts'
import {
  cidOf,
  createWorld,
  drainOnce,
  recordSession,
  sealedChunk,
  sessionIdOf,
  type World,
  transferNow,
} from '../testing/world.ts'
import { admitChunk } from './admit.ts'
import { createDrain, type Drain } from './drain.ts'
import { sessionStep } from './session-step.ts'
import { MAX_STEPS_BACK, RECEIPT_MS } from './limits.ts'
import { endSession, resumeSession } from './sessions.ts'

const id = sessionIdOf(1)
const calm = new AbortController().signal
const lost = { code: 'unreachable', after: true } as const

type Worker = ReturnType<World['worker']>

const ops = (world: World) => world.chain.ledger.map(({ op }) => op)
const submits = (world: World) => world.chain.ledger.filter(({ op }) => op === 'submit')
const sizesOnChain = (world: World) => world.chain.entries.map(({ request }) => request.head.size)

/** Every byte of the session is still on the device. */
async function expectAllBytes(world: World) {
  for (const chunk of await world.chunks(id)) expect(await world.hasPayload(chunk)).toBe(true)
}

/** A recording that goes on, whose page lives, and the drain of its worker. */
async function recording(chunks = 1, worker?: (world: World) => ReturnType<World['worker']>) {
  const world = createWorld()
  await recordSession(world, { chunks, ending: 'recording' })
  world.locks.hold(recordingLockName(id))
  return { world, drain: createDrain((worker ?? ((of) => of.worker()))(world)) }
}

/** One more chunk is handed over, and so much time passes. */
async function goOn(world: World, drain: Drain, index: number, ms: number) {
  await admitChunk(world.worker(), await sealedChunk(id, index))
  void drain.join('message')
  await world.clock.advance(ms)
}

describe('a head', () => {
  it('is handed over after the chain was read, each time, and is true each time', async () => {
    const { world, drain } = await recording()
    for (let index = 1; index < 12; index++) await goOn(world, drain, index, 2_500)
    await endSession(world.worker(), id)
    await world.clock.runUntil(drain.join('message'))
    await expectThrough(world, id, 12)
    expect(submits(world).length).toBeGreaterThan(4)
    for (const [at, op] of ops(world).entries())
      if (op === 'submit') expect(world.chain.ledger[at - 1]?.op).toBe('read')
    const log = await publishedLog(world, id)
    for (const { request } of world.chain.entries) await expectTrueHead(log, request)
  })

  it('does not wait for the one before it: several are on their way, no sooner than the anchor says', async () => {
    const { world, drain } = await recording()
    world.chain.depth = 20
    const { everyMs } = world.worker().anchor
    for (let index = 1; index < 16; index++) await goOn(world, drain, index, 2_000)
    expect((await world.session(id)).anchored).toBeUndefined()
    const sentAtMs = submits(world).map(({ atMs }) => atMs)
    expect(sentAtMs.length).toBeGreaterThanOrEqual(5)
    for (const [at, atMs] of sentAtMs.slice(1).entries())
      expect(atMs - (sentAtMs[at] ?? 0)).toBeGreaterThanOrEqual(everyMs)
    await world.clock.advance(20 * BLOCK_MS)
    // Each that is deep frees what it holds; the last is of all.
    expect(new Set(await world.statuses(id))).toEqual(new Set(['confirmed']))
  })

  it('goes in the look that finds the one before it, if that is long enough ago', async () => {
    const { world, drain } = await recording(1, (of) => {
      const worker = of.worker()
      return { ...worker, anchor: { ...worker.anchor, everyMs: 500 } }
    })
    const startMs = world.clock.now()
    void drain.join('message')
    await world.clock.advance(100)
    await goOn(world, drain, 1, 4_000)
    const [first] = world.chain.entries
    const minedAtMs = startMs + ((first?.block ?? 0) - 100) * BLOCK_MS
    const found = world.chain.ledger.findIndex(({ op, atMs }) => op === 'read' && atMs >= minedAtMs)
    expect(ops(world)[found + 1]).toBe('submit')
    expect(sizesOnChain(world)).toEqual([2, 3])
    // Neither was taken in vain.
    expect((await world.session(id)).witnessing.taken).toBeLessThanOrEqual(1)
  })

  it('that is the last goes at once', async () => {
    const { world, drain } = await recording()
    void drain.join('message')
    await world.clock.advance(3_500)
    expect(submits(world)).toHaveLength(1)
    await endSession(world.worker(), id)
    const endedAtMs = world.clock.now()
    void drain.join('message')
    await world.clock.advance(100)
    expect(submits(world).at(-1)?.atMs).toBeLessThan(endedAtMs + 100)
    expect(world.chain.entries.at(-1)?.request.head.end).toBe(true)
  })

  // Promise 3 of docs/guarantees.md.
  it('in the newest block alone confirms nothing: it waits for the depth', async () => {
    const world = createWorld()
    await recordSession(world)
    const draining = createDrain(world.worker()).join('message')
    await world.clock.advance(BLOCK_MS + 1_100)
    expect(world.chain.entries).toHaveLength(1)
    expect(await world.statuses(id)).toEqual(['anchoring'])
    await expectAllBytes(world)
    await world.clock.runUntil(draining)
    expect(await draining).toBe('idle')
    await expectThrough(world, id, 1)
  })

  it('is kept with the transaction that brought it, or without where no node tells', async () => {
    for (const tells of [true, false]) {
      const world = createWorld()
      await recordSession(world)
      const worker = world.worker()
      if (!tells) worker.anchor.events = async () => []
      await drainOnce(world, worker)
      await expectThrough(world, id, 1)
      const { anchored } = await world.session(id)
      expect(anchored).toMatchObject({ size: 3, blockNumber: expect.any(Number) as unknown })
      expect(anchored?.transactionHash !== undefined).toBe(tells)
    }
  })

  it('tells pages which of several nodes it was confirmed without', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    const { events } = worker.anchor
    const setAside = [{ origin: 'https://two.example', code: 'timeout', message: 'Late.' }] as const
    worker.anchor.events = async (...args) => {
      const told = await events(...args)
      return told.map((event) => Object.assign(event, { receipt: { ...event.receipt, setAside } }))
    }
    await drainOnce(world, worker)
    await expectThrough(world, id, 1)
    expect((await world.session(id)).anchored?.setAside).toEqual(setAside)
  })

  it('is concluded though no node ever answers for its receipt', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    worker.anchor.events = () => new Promise(() => {})
    await drainOnce(world, worker)
    await expectThrough(world, id, 1)
  })

  it('is kept with its transaction however often the app wants one anchored', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    const { events } = worker.anchor
    worker.anchor.events = async (...args) => {
      await world.clock.sleep(300, args[3])
      return events(...args)
    }
    await drainOnce(world, { ...worker, anchor: { ...worker.anchor, everyMs: 0 } })
    await expectThrough(world, id, 1)
    expect((await world.session(id)).anchored?.transactionHash).toBeDefined()
  })

  // Promise 4 of docs/guarantees.md.
  it('that the relay took, while its answer was lost, is looked for on the chain and not sent again', async () => {
    const world = createWorld()
    await recordSession(world)
    world.chain.fault = (op) => (op === 'submit' ? { ...lost, retryAfterMs: 5_000 } : undefined)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    expect(submits(world)).toHaveLength(1)
    expect(ops(world).slice(0, 3)).toEqual(['read', 'submit', 'read'])
    await expectThrough(world, id, 1)
  })

  it('whose answer was lost is not handed over again before the relay has had its time', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    let answers = 0
    world.chain.fault = (op) => (op === 'submit' && answers++ === 0 ? lost : undefined)
    // It is mined, but only just before the relay would be asked again.
    const { read } = worker.anchor
    const beganMs = world.clock.now()
    worker.anchor.read = async (...args) =>
      world.clock.now() - beganMs < resubmitDelayMs(0) - 1_000 ? { blockNumber: 1 } : read(...args)
    expect(await drainOnce(world, worker)).toBe('idle')
    expect(submits(world)).toHaveLength(1)
  })

  it('that is refused is parked with every byte, and says why; the log goes on', async () => {
    const { world, drain } = await recording(2)
    world.chain.fault = (op) => (op === 'submit' ? { code: 'anchor-rejected' } : undefined)
    void drain.join('message')
    await world.clock.advance(1_000)
    const session = await world.session(id)
    expect(session).toMatchObject({
      trouble: { error: { code: 'anchor-rejected' } },
      witnessing: { notBeforeMs: Infinity },
    })
    await goOn(world, drain, 2, 1_000)
    expect((await publishedLog(world, id)).pages).toHaveLength(2)
    await expectAllBytes(world)
  })

  it.each(['wrong-chain', 'nodes-disagree', 'server-error'] as const)(
    'is handed to no relay while the chain cannot be read (%s), which is told at once and parks nothing',
    async (code) => {
      const world = createWorld()
      await recordSession(world)
      let away = true
      world.chain.fault = (op) => (op === 'read' && away ? { code } : undefined)
      expect(await drainOnce(world, world.worker())).toBe('work-remains')
      const session = await world.session(id)
      expect(session.trouble?.error.code).toBe(code)
      expect(session.witnessing.notBeforeMs).toBeLessThan(Infinity)
      expect(world.chain.submits()).toBe(0)
      away = false
      await drainOnce(world, world.worker())
      await expectThrough(world, id, 1)
    },
  )
})

describe('a relay that takes heads and brings none to the chain', () => {
  /** What it takes is not mined while this says so. */
  function swallowing(world: World, swallows: (size: number) => boolean) {
    const worker = world.worker()
    const { submit } = worker.anchor
    worker.anchor.submit = async (...args) => {
      await submit(...args)
      if (swallows(args[0].head.size)) world.chain.entries.pop()
    }
    return worker
  }

  it('is asked again after a while, ever more rarely, not at each look', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = swallowing(world, () => true)
    const beganMs = world.clock.now()
    while (world.clock.now() - beganMs < 2 * 60 * 60_000) {
      await drainOnce(world, worker)
      await world.clock.advance(30_000)
    }
    // Until the wait is a quarter of an hour: 0, 15, 45, 105 s …
    expect(submits(world).length).toBeGreaterThan(8)
    expect(submits(world).length).toBeLessThan(20)
    const waits = submits(world).map(({ atMs }, at, all) => atMs - (all[at - 1]?.atMs ?? atMs))
    for (const [at, waitMs] of waits.entries())
      if (at > 0) expect(waitMs).toBeGreaterThanOrEqual(resubmitDelayMs(at))
  })

  // Promise 7 of docs/guarantees.md.
  it('is told within two minutes, until the head is there', async () => {
    const world = createWorld()
    await recordSession(world)
    let isMined = false
    const worker = swallowing(world, () => !isMined)
    const draining = createDrain(worker).join('message')
    await world.clock.advance(60_000)
    expect((await world.session(id)).trouble?.error.code).toBe('anchor-unseen')
    await world.clock.advance(50_000)
    expect((await world.session(id)).trouble?.error.code).toBe('anchor-unseen')
    isMined = true
    await world.clock.runUntil(draining)
    await world.clock.advance(3_600_000)
    await drainOnce(world, worker)
    await expectThrough(world, id, 1)
    expect((await world.session(id)).trouble).toBeUndefined()
  })

  // Promise 7 of docs/guarantees.md.
  it('is told and spared while the recording goes on, too: a new head is no new beginning', async () => {
    const { world, drain } = await recording(1, (of) => swallowing(of, () => true))
    for (let index = 1; index < 40; index++) await goOn(world, drain, index, 3_000)
    expect((await world.session(id)).trouble?.error.code).toBe('anchor-unseen')
    expect(submits(world).length).toBeLessThan(8)
    await expectAllBytes(world)
  })

  // Promise 7 of docs/guarantees.md.
  it('is told and spared where an earlier head is on the chain and deep', async () => {
    const { world, drain } = await recording(1, (of) => swallowing(of, (size) => size > 2))
    void drain.join('message')
    await world.clock.advance(10_000)
    expect((await world.session(id)).anchored?.size).toBe(2)
    await admitChunk(world.worker(), await sealedChunk(id, 1))
    await endSession(world.worker(), id)
    void drain.join('message')
    await world.clock.advance(60_000)
    expect((await world.session(id)).trouble?.error.code).toBe('anchor-unseen')
    await world.clock.advance(60_000)
    expect((await world.session(id)).trouble?.error.code).toBe('anchor-unseen')
    expect(submits(world).length).toBeLessThanOrEqual(1 + 5)
    expect(await world.statuses(id)).toEqual(['confirmed', 'anchoring'])
  })
})

describe('a node', () => {
  it.each(['anchor-rejected', 'bad-answer', 'forked', 'defect'] as const)(
    'that refuses to be read parks nothing: %s',
    async (code) => {
      const world = createWorld()
      await recordSession(world)
      const beganMs = world.clock.now()
      world.chain.fault = (op) =>
        op === 'read' && world.clock.now() - beganMs < 60_000 ? { code } : undefined
      await drainOnce(world, world.worker(), 'message')
      await expectThrough(world, id, 1)
    },
  )

  it('that never answers is told by the session that asked it, which asks again', async () => {
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
    await expectThrough(world, id, 1)
  })

  it.each([
    ['', 0],
    [', its nodes showing one block and the next by turns,', 1],
    [', one of its nodes thirty blocks behind,', 30],
  ])('whose chain stands%s is told within two minutes, and no more once it grows', async (_how, apart) => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    const { read } = worker.anchor
    const beganMs = world.clock.now()
    const growsMs = beganMs + STANDING_MS + 60_000
    let standing: Awaited<ReturnType<typeof read>> | undefined
    let looks = 0
    worker.anchor.read = async (...args) => {
      const seen = await read(...args)
      if (seen.latest === undefined || world.clock.now() >= growsMs) return seen
      const { deep: _notYet, ...shallow } = seen
      standing ??= shallow
      return { ...standing, blockNumber: standing.blockNumber - (looks++ % 2) * apart }
    }
    const drain = createDrain(worker)
    void drain.join('message')
    await world.clock.advance(120_000)
    expect((await world.session(id)).trouble?.error).toMatchObject({
      code: 'anchor-unseen',
      message: expect.stringContaining('stands at block') as unknown,
    })
    expect(submits(world)).toHaveLength(1)
    await world.clock.advance(120_000)
    await expectThrough(world, id, 1)
    expect((await world.session(id)).trouble).toBeUndefined()
  })
})

// Promise 3 of docs/guarantees.md.
describe('a reorganisation', () => {
  it('that takes a head out of the newest block has it handed over again, and confirmed then', async () => {
    const world = createWorld()
    await recordSession(world)
    const startMs = world.clock.now()
    const draining = createDrain(world.worker()).join('message')
    await world.clock.advance(BLOCK_MS + 1_100)
    expect(await world.statuses(id)).toEqual(['anchoring'])
    const before = world.chain.entries.splice(0)
    await world.clock.runUntil(draining)
    expect(await draining).toBe('idle')
    await expectThrough(world, id, 1)
    expect(submits(world)).toHaveLength(2)
    expect(world.chain.entries.map(({ request }) => request)).toEqual(before.map(({ request }) => request))
    expect(world.clock.now() - startMs).toBeGreaterThanOrEqual(resubmitDelayMs(0))
  })

  it('after a part was confirmed settles only when the chain holds the whole log again', async () => {
    const { world, drain } = await recording(1)
    void drain.join('message')
    await world.clock.advance(10_000)
    expect((await world.session(id)).anchored?.size).toBe(2)
    await goOn(world, drain, 1, 500)
    await endSession(world.worker(), id)
    // Everything is gone, the part that was deep too; what is handed over now is lost as well.
    world.chain.entries.length = 0
    const joined = drain.join('message')
    await world.clock.advance(100)
    world.chain.entries.length = 0
    await world.clock.advance(10_000)
    expect(await world.statuses(id)).toEqual(['confirmed', 'anchoring'])
    expect(await world.session(id)).toMatchObject({
      anchored: { size: 2 },
      open: expect.any(Number) as unknown,
    })
    await world.clock.runUntil(joined)
    expect(await joined).toBe('idle')
    expect(new Set(sizesOnChain(world))).toEqual(new Set([4]))
    await expectThrough(world, id, 2)
  })

  it('that is in the newest block alone, while an older one still holds the head, confirms nothing', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    const { read } = worker.anchor
    let isGone = true
    worker.anchor.read = async (...args) => {
      const { latest, ...seen } = await read(...args)
      return isGone ? seen : { ...seen, ...(latest && { latest }) }
    }
    const draining = createDrain(worker).join('push')
    await world.clock.advance(30_000)
    expect(await world.statuses(id)).toEqual(['anchoring'])
    await expectAllBytes(world)
    isGone = false
    await world.clock.runUntil(draining)
    await expectThrough(world, id, 1)
  })

  it('that leaves a smaller head in the newest block confirms no more than that', async () => {
    let small: WitnessedHead | undefined
    const { world, drain } = await recording(1, (of) => {
      const worker = of.worker()
      const { read } = worker.anchor
      worker.anchor.read = async (...args) => {
        const { latest, ...seen } = await read(...args)
        small ??= latest
        return { ...seen, ...(small && { latest: small }) }
      }
      return worker
    })
    void drain.join('message')
    await world.clock.advance(10_000)
    expect(await world.statuses(id)).toEqual(['confirmed'])
    await goOn(world, drain, 1, 30_000)
    expect(new Set(sizesOnChain(world))).toEqual(new Set([2, 3]))
    expect(await world.statuses(id)).toEqual(['confirmed', 'anchoring'])
  })
})

// Promise 3 of docs/guarantees.md.
describe('another head under the same key', () => {
  const other = 'f'.repeat(64) as Sha256Hex

  it.each([
    ['of another root', { root: other }],
    ['of another page', { page: other }],
    ['that says the recording has ended', { end: true }],
    ['larger than the log', { size: 99 }],
    ['of other groups alone, which readers refuse', {}],
  ])('%s is told as a fork; no byte is let go, and uploads and pages go on', async (_what, change) => {
    const { world, drain } = await recording(2)
    const forge: World['chain']['entries'][number]['request'][] = []
    world.chain.fault = (op) => (op === 'submit' ? { code: 'unreachable' } : undefined)
    void drain.join('message')
    await world.clock.advance(1_000)
    const session = await world.session(id)
    const ours = await world.disk.read((tx) => tx.head(id, session.listed.tree.size))
    if (ours === undefined) throw new Error('No head')
    const { name, publicKey, access } = session
    const { sessionId: _ours, ...said } = ours
    const head = { ...said, name, publicKey, groups: other, ...change }
    forge.push({ head, groups: access.map(({ id: group, tag }) => ({ id: group, tag })) })
    for (const request of forge) world.chain.entries.push({ block: 101, request })
    world.chain.fault = () => undefined
    await world.clock.advance(60_000)

    expect(await world.session(id)).toMatchObject({
      trouble: { error: { code: 'forked' } },
      witnessing: { notBeforeMs: Infinity },
    })
    await goOn(world, drain, 2, 5_000)
    const [, , third] = await world.chunks(id)
    expect(world.server.stored.get(cidOf(third))).toBe(1)
    expect(await world.statuses(id)).toEqual(['anchoring', 'anchoring', 'anchoring'])
    expect((await publishedLog(world, id)).pages).toHaveLength(2)
    await expectAllBytes(world)
    expect((await world.session(id)).anchored).toBeUndefined()
  })

  it('is told where ours has followed it already', async () => {
    const world = createWorld()
    await recordSession(world)
    const worker = world.worker()
    const { read } = worker.anchor
    worker.anchor.read = async (...args) => {
      const { deep, ...seen } = await read(...args)
      return { ...seen, ...(deep && { deep: { ...deep, size: deep.size - 1, root: other } }) }
    }
    await drainOnce(world, worker, 'push')
    expect((await world.session(id)).trouble?.error.code).toBe('forked')
    expect(await world.statuses(id)).toEqual(['anchoring'])
    await expectAllBytes(world)
  })
})

// Promise 3 of docs/guarantees.md.
describe('a head that was overtaken between two looks', () => {
  const other = 'f'.repeat(64) as Sha256Hex
  type Forge = (ours: AnchorRequest) => readonly AnchorRequest[]
  const altered = ({ head, groups }: AnchorRequest, change: Partial<AnchorRequest['head']>) => ({
    head: { ...head, ...change },
    groups,
  })

  /**
   * Heads of two and of three entries are signed, of which the chain gets the larger one, in the block that takes these
   * before it: what is made of the smaller one.
   */
  async function overtaken(forge: Forge, amend = (worker: Worker) => worker) {
    let before: AnchorRequest[] = []
    const { world, drain } = await recording(1, (of) => {
      const worker = of.worker()
      const { submit } = worker.anchor
      worker.anchor.submit = async (...args) => {
        await submit(...args)
        const own = of.chain.entries.pop()
        if (own === undefined) throw new Error('Nothing was handed over')
        for (const request of before.splice(0)) of.chain.entries.push({ block: own.block, request })
        of.chain.entries.push(own)
      }
      return amend(worker)
    })
    world.chain.fault = (op) => (op === 'submit' ? { code: 'unreachable' } : undefined)
    void drain.join('message')
    await world.clock.advance(1_000)
    await goOn(world, drain, 1, 1_000)
    const { name, publicKey, access } = await world.session(id)
    const ours = await world.disk.read((tx) => tx.head(id, 2))
    if (ours === undefined) throw new Error('No head')
    const { sessionId: _ours, frame: _its, provedAtMs: _then, ...said } = ours
    const head = { ...said, name, publicKey, groups: await groupsDigest(access) }
    before = [...forge({ head, groups: access.map(({ id: group, tag }) => ({ id: group, tag })) })]
    world.chain.fault = () => undefined
    await resumeSession(world.worker(), id)
    return { world, drain }
  }

  async function expectForked(world: World) {
    expect(world.chain.entries.at(-1)?.request.head.size).toBe(3)
    expect(await world.session(id)).toMatchObject({
      trouble: { error: { code: 'forked' } },
      witnessing: { notBeforeMs: Infinity },
    })
    expect((await world.session(id)).anchored).toBeUndefined()
    expect(await world.statuses(id)).toEqual(['anchoring', 'anchoring'])
    await expectAllBytes(world)
  }

  async function expectConfirmed(world: World) {
    expect((await world.session(id)).anchored?.size).toBe(3)
    expect((await world.session(id)).trouble).toBeUndefined()
    expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed'])
  }

  it.each<[string, Forge]>([
    ['of another root', (ours) => [altered(ours, { root: other })]],
    ['of another page', (ours) => [altered(ours, { page: other })]],
    ['of other groups', (ours) => [altered(ours, { groups: other })]],
    ['that says the recording has ended', (ours) => [altered(ours, { end: true })]],
    ['of a size that was never signed', (ours) => [altered(ours, { size: 1, root: other })]],
    ['after another', (ours) => [altered(ours, { size: 1, root: other }), altered(ours, { page: other })]],
    ['after another, and before one of ours', (ours) => [altered(ours, { size: 1, root: other }), ours]],
  ])('%s is told as a fork, and no byte is let go', async (_what, forge) => {
    const { world, drain } = await overtaken(forge)
    void drain.join('message')
    await world.clock.advance(30_000)
    await expectForked(world)
  })

  it('is confirmed with the larger one where it is ours', async () => {
    const { world, drain } = await overtaken((ours) => [ours])
    void drain.join('message')
    await world.clock.advance(30_000)
    await expectConfirmed(world)
    expect((await world.session(id)).anchored?.transactionHash).toBeDefined()
  })

  /** A node that tells of no more than one block at a time. */
  const oneByOne = (worker: Worker) => {
    const { events } = worker.anchor
    worker.anchor.events = async (...args) => {
      if (args[1] < args[2]) throw new Error('Block range is too large')
      return events(...args)
    }
    return worker
  }

  it.each<[string, Forge, forked: boolean]>([
    ['is found', (ours) => [altered(ours, { root: other })], true],
    ['is confirmed where it is ours', (ours) => [ours], false],
  ])('in another block %s by a node that tells of one block at a time', async (_what, forge, forked) => {
    const { world, drain } = await overtaken(forge, (worker) => {
      const { read } = worker.anchor
      worker.anchor.read = async (...args) => {
        // Nobody looks before ours is deep.
        const seen = await read(...args)
        return seen.deep?.size === 3 ? seen : { blockNumber: seen.blockNumber }
      }
      return oneByOne(worker)
    })
    void drain.join('message')
    await world.clock.advance(100)
    const [its, own] = world.chain.entries.splice(0)
    if (!its || !own) throw new Error('Nothing was handed over')
    world.chain.entries.push(its, { ...own, block: own.block + 3 })
    await world.clock.advance(30_000)
    await (forked ? expectForked(world) : expectConfirmed(world))
  })

  it('holds nothing up where no node tells of it, and is found at the next head once one does', async () => {
    let tells = false
    const { world, drain } = await overtaken(
      (ours) => [altered(ours, { root: other })],
      (worker) => {
        const { events } = worker.anchor
        worker.anchor.events = async (...args) => (tells ? events(...args) : [])
        return worker
      },
    )
    void drain.join('message')
    await world.clock.advance(30_000)
    await expectConfirmed(world)
    tells = true
    await goOn(world, drain, 2, 30_000)
    expect((await world.session(id)).trouble?.error.code).toBe('forked')
    expect(await world.statuses(id)).toEqual(['confirmed', 'confirmed', 'anchoring'])
  })

  it('is not looked for behind the head that was confirmed before', async () => {
    const asked: number[] = []
    const { world, drain } = await overtaken(
      (ours) => [ours],
      (worker) => {
        const { events } = worker.anchor
        worker.anchor.events = async (...args) => {
          asked.push(args[1])
          return events(...args)
        }
        return worker
      },
    )
    void drain.join('message')
    await world.clock.advance(30_000)
    await expectConfirmed(world)
    const [first] = world.chain.entries
    await goOn(world, drain, 2, 30_000)
    expect((await world.session(id)).anchored?.size).toBe(4)
    expect(asked).toEqual([first?.block, (first?.block ?? 0) + 1])
  })

  it('is not looked for without an end: for so many blocks, and so long', async () => {
    for (const takesMs of [0, 1_000]) {
      let asked = 0
      let deepAtMs = Infinity
      const { world, drain } = await overtaken(
        (ours) => [ours],
        (worker) => {
          const { read, events } = worker.anchor
          worker.anchor.read = async (...args) => {
            const { deep, ...seen } = await read(...args)
            if (deep) deepAtMs = Math.min(deepAtMs, world.clock.now())
            return { ...seen, ...(deep && { deep: { ...deep, firstBlock: 1 } }) }
          }
          worker.anchor.events = async (name, from, to, signal) => {
            asked++
            await world.clock.sleep(takesMs, signal)
            signal.throwIfAborted()
            if (from < to) throw new Error('Block range is too large')
            const told = await events(name, 1, 1_000, signal)
            return told.map((event) => Object.assign(event, { previousBlock: to - 1 }))
          }
          return worker
        },
      )
      void drain.join('message')
      await world.clock.advance(30_000)
      await expectConfirmed(world)
      const { anchored } = await world.session(id)
      expect(anchored?.transactionHash).toBeDefined()
      expect(anchored?.confirmedAtMs).toBeLessThanOrEqual(deepAtMs + RECEIPT_MS)
      expect(asked).toBe(takesMs ? 6 : 2 * MAX_STEPS_BACK)
    }
  })

  it('is still to be looked for where the look was stopped', async () => {
    const world = createWorld()
    await recordSession(world)
    const step = async (kind: 'listing' | 'witness', worker: Worker, signal = calm) =>
      world.clock.runUntil(sessionStep(worker, await world.session(id), kind, signal))
    for (const chunk of await world.chunks(id))
      await world.clock.runUntil(transferNow(world.worker(), chunk, calm))
    await step('listing', world.worker())
    await step('witness', world.worker())
    await world.clock.advance(3 * BLOCK_MS)
    const stopped = world.worker()
    const stop = new AbortController()
    stopped.anchor.events = async () => {
      stop.abort()
      throw new Error('Stopped')
    }
    await step('witness', stopped, stop.signal)
    await world.clock.advance(1_000)
    expect((await world.session(id)).anchored).toBeUndefined()
    await expectAllBytes(world)
    await step('witness', world.worker())
    await expectThrough(world, id, 1)
  })
})

// Promise 2 of docs/guarantees.md.
describe('a store that forgets a chunk between its proof and its confirmation', () => {
  it('is asked again once the proof is old, gets the chunk again, and only then is ours let go', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    // Nothing gets deep for long.
    world.chain.depth = Math.ceil((2 * PROOF_LASTS_MS) / BLOCK_MS)
    await drainOnce(world, world.worker())
    expect(await world.statuses(id)).toEqual(['anchoring', 'anchoring'])
    const [gone, kept] = (await world.chunks(id)).map(cidOf)
    if (gone === undefined || kept === undefined) throw new Error('No chunks')
    world.server.stored.delete(gone)
    await world.clock.advance(2 * PROOF_LASTS_MS)
    const before = world.server.ledger.length
    expect(await drainOnce(world, world.worker())).toBe('idle')
    const again = world.server.ledger.slice(before)
    expect(again.filter(({ of }) => of === gone).map(({ op }) => op)).toEqual(['probe', 'send'])
    expect(again.filter(({ of }) => of === kept).map(({ op }) => op)).toEqual(['probe'])
    expect(world.server.stored.has(gone)).toBe(true)
    await expectThrough(world, id, 2)
    expect(submits(world)).toHaveLength(1)
  })
})

// Promise 2 of docs/guarantees.md.
describe('a store that forgets pages between their proof and a late confirmation', () => {
  /** Three pages, each of its head on a chain on which nothing gets deep for long; the store loses some of them. */
  async function lateConfirmation(lost: readonly number[]) {
    const { world, drain } = await recording()
    world.chain.depth = Math.ceil((2 * PROOF_LASTS_MS) / BLOCK_MS)
    for (const index of [1, 2]) await goOn(world, drain, index, 6_000)
    await endSession(world.worker(), id)
    void drain.join('message')
    await world.clock.advance(6_000)
    const pages = (await publishedLog(world, id)).pages.map(({ digest }) => pageCid(digest))
    const copies = pages.map((cid) => world.server.bytes.get(cid))
    for (const number of lost) {
      world.server.stored.delete(pages[number - 1]!)
      world.server.bytes.delete(pages[number - 1]!)
    }
    await world.clock.advance(2 * PROOF_LASTS_MS)
    return { world, pages, copies, before: world.server.ledger.length }
  }

  it('is asked again, and gets the same page again, before a byte is let go', async () => {
    for (const lost of [[1], [2], [3], [1, 2, 3, 4]]) {
      const { world, pages, copies, before } = await lateConfirmation(lost)
      const worker = world.worker()
      const { send } = worker.transport
      worker.transport.send = async (...args) => {
        await expectAllBytes(world)
        return send(...args)
      }
      expect(await drainOnce(world, worker)).toBe('idle')
      const again = world.server.ledger.slice(before)
      for (const [at, cid] of pages.entries()) {
        const asked = again.filter(({ of }) => of === cid).map(({ op }) => op)
        expect(asked, `${lost}`).toEqual(lost.includes(at + 1) ? ['probe', 'send'] : ['probe'])
        expect(world.server.bytes.get(cid)).toEqual(copies[at])
      }
      await expectThrough(world, id, 3)
    }
  })

  it('gets no other page than the one that was signed, where an entry has changed on the disk since', async () => {
    const { world, before } = await lateConfirmation([1, 2, 3])
    await world.disk.write((tx) => tx.putEntry(id, 1, Uint8Array.of(1, 2, 3)))
    await drainOnce(world, world.worker())
    expect(world.server.ledger.slice(before).filter(({ op }) => op === 'send')).toEqual([])
    expect((await world.session(id)).trouble?.error.code).toBe('defect')
    await expectAllBytes(world)
  })

  it('holds no new page up, and holds what depends on it, while it does not answer', async () => {
    const { world } = await lateConfirmation([2])
    world.server.fault = (op) => (op === 'probe' ? { code: 'unreachable' } : undefined)
    await drainOnce(world, world.worker())
    expect(await world.statuses(id)).not.toContain('confirmed')
    expect((await world.session(id)).trouble?.error.code).toBe('unreachable')
    await expectAllBytes(world)
    world.server.fault = () => undefined
    await world.clock.advance(60_000)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 3)
  })
})

describe('a look that is late, because the lock was taken from its worker', () => {
  /** The first head is concluded while another worker has read the same, and is slow to go on. */
  async function lateConclusion() {
    const world = createWorld()
    await recordSession(world, { chunks: 1, ending: 'interrupted' })
    const a = world.worker()
    const upload = async (index: number) => {
      const chunk = (await world.chunks(id))[index]
      if (chunk) await world.clock.runUntil(transferNow(a, chunk, calm))
    }
    const list = async () => {
      await world.clock.runUntil(sessionStep(a, await world.session(id), 'listing', calm))
    }
    const look = async () => world.clock.runUntil(sessionStep(a, await world.session(id), 'witness', calm))
    await upload(0)
    await list()
    await look()
    await world.clock.advance(3 * BLOCK_MS)

    const late = world.worker()
    let release = () => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    const { read } = late.anchor
    late.anchor.read = async (...args) => {
      const seen = await read(...args)
      await released
      return seen
    }
    const stale = sessionStep(late, await world.session(id), 'witness', calm)
    await world.clock.advance(10)
    await look()
    expect(await world.statuses(id)).toEqual(['confirmed'])
    return { world, upload, list, concludes: () => (release(), world.clock.runUntil(stale)) }
  }

  // Promise 3 of docs/guarantees.md.
  it('confirms nothing that came since, and deletes none of its bytes', async () => {
    const { world, upload, list, concludes } = await lateConclusion()
    await admitChunk(world.worker(), await sealedChunk(id, 1))
    await upload(1)
    await list()
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

describe('a session whose anchor was refused', () => {
  // Promise 5 of docs/guarantees.md.
  it('is handed over again at once when it is resumed', async () => {
    const world = createWorld()
    await recordSession(world)
    world.chain.fault = (op) => (op === 'submit' ? { code: 'anchor-rejected' } : undefined)
    await drainOnce(world, world.worker())
    world.chain.fault = () => undefined
    const startMs = world.clock.now()
    await resumeSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 1)
    expect(submits(world).at(-1)?.atMs).toBe(startMs)
  })
})
