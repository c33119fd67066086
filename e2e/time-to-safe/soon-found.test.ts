import { expect, it } from 'vitest'
import { parseEntry } from '../../src/evidence/entry-parse.ts'
import { parsePage } from '../../src/evidence/page-parse.ts'
import { isPage } from '../../sw/testing/is-page.ts'
import { withPage } from '../../src/evidence/page-chain.ts'
import { appendEntries } from '../../src/evidence/tree.ts'
import { recordingLockName } from '../../src/protocol/messages.ts'
import { BLOCK_MS } from '../../sw/testing/fake-servers.ts'
import { anchoredAt, digest } from '../../sw/testing/records.ts'
import { createWorld, recordSession, sealedChunk, sessionIdOf, type World } from '../../sw/testing/world.ts'
import { admitChunk } from '../../sw/engine/admit.ts'
import { createDrain } from '../../sw/engine/drain.ts'
import type { SessionRecord } from '../../sw/core/record.ts'
import { takesWhole } from '../test-size.ts'
import { foundAfter, moments, quantile, spans, type ChunkTimes } from './timeline.ts'

const id = sessionIdOf(1)

const ROUND_TRIP_MS = 60
/** Of a browser, to one host over HTTP/1.1. */
const CONNECTIONS = 6
const FRAME_BYTES = 16_384

interface Link {
  /** Requests share it in turns, and wait for one of six connections. */
  readonly bytesPerMs: number
  /** What the server gives each connection. */
  readonly bytesPerMsEach: number
  /** What each chunk weighs on it, whatever this test's have. */
  readonly chunkBytes: number
}

/** 1 Mbit/s */
const SLOW: Link = { bytesPerMs: 125, bytesPerMsEach: Infinity, chunkBytes: 65_536 }

function slowLink({ clock }: World, { bytesPerMs, bytesPerMsEach }: Link) {
  const neverAborted = new AbortController().signal
  const waiting: (() => void)[] = []
  let free = CONNECTIONS
  let freeAtMs = 0
  /** Resolves to how long it waited for a connection, ms. */
  return async (bytes: number): Promise<number> => {
    const askedAtMs = clock.now()
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free--
    const waitedMs = clock.now() - askedAtMs
    for (let left = bytes; left > 0; left -= FRAME_BYTES) {
      const frame = Math.min(left, FRAME_BYTES)
      freeAtMs = Math.max(freeAtMs, clock.now()) + frame / bytesPerMs
      await clock.sleep(Math.max(freeAtMs - clock.now(), frame / bytesPerMsEach), neverAborted)
    }
    await clock.sleep(ROUND_TRIP_MS, neverAborted)
    const next = waiting.shift()
    if (next) next()
    else free++
    return waitedMs
  }
}

/** A worker whose store and chain are behind that link. */
function workerOn(world: World, link: Link) {
  const worker = world.worker()
  const carry = slowLink(world, link)
  const { send } = worker.transport
  const { read, submit, events } = worker.anchor
  /** Of each page, ms. */
  const waits: number[] = []
  worker.transport.send = async (upload, bytes, ...rest) => {
    if (isPage(bytes)) waits.push(await carry(bytes.length))
    else await carry(link.chunkBytes)
    return send(upload, bytes, ...rest)
  }
  const anchor = {
    ...worker.anchor,
    // As evm() has them for an app that says nothing else.
    pollMs: 2_000,
    everyMs: 5_000,
    read: async (...args: Parameters<typeof read>) => {
      await carry(600)
      await Promise.all([carry(600), carry(600)])
      return read(...args)
    },
    submit: async (...args: Parameters<typeof submit>) => {
      await carry(1_500)
      return submit(...args)
    },
    events: async (...args: Parameters<typeof events>) => {
      await carry(600)
      return events(...args)
    },
  }
  return { worker: { ...worker, anchor }, waits }
}

/** What the store and the chain say of each chunk that was acknowledged. */
function timesOf({ server, chain }: World, acknowledged: ReadonlyMap<number, number>): ChunkTimes[] {
  const takenAtMs = new Map(server.ledger.map(({ of, atMs }) => [of, atMs]))
  const startMs = Date.UTC(2026, 0, 1)
  const chunks: ChunkTimes[] = []
  const listed = new Set<number>()
  for (const [cid, bytes] of server.bytes) {
    if (!isPage(bytes)) continue
    const page = parsePage(bytes)
    for (const [at, bytesOfEntry] of page.entries.entries()) {
      const entry = parseEntry(bytesOfEntry)
      // Not where a full page lists it once more.
      if (entry.kind !== 'chunk' || listed.has(entry.index)) continue
      listed.add(entry.index)
      const block = chain.entries.find(({ request }) => request.head.size > page.from + at)?.block
      chunks.push({
        ...entry,
        acknowledgedAtMs: acknowledged.get(entry.index),
        listedAtMs: takenAtMs.get(cid),
        storedAtMs: takenAtMs.get(entry.cid),
        anchoredAtMs: block === undefined ? undefined : startMs + (block - 100) * BLOCK_MS,
      })
    }
  }
  return chunks.sort((a, b) => a.index - b.index)
}

/** As it would be after so many chunks, all confirmed: what they leave behind is in the log's tree and its pages. */
async function withChunksBefore(world: World, before: number): Promise<void> {
  const entries = Array.from({ length: before }, (_none, at) => new Uint8Array([at >> 8, at]))
  const { disk } = world
  const session = await world.session(id)
  const tree = await appendEntries(
    session.listed.tree,
    await disk.read((tx) => tx.entries(id, 0, session.size)),
  )
  const whole = await appendEntries(tree, entries)
  let pages = withPage(session.listed.pages, digest('a'))
  while (pages.number < Math.sqrt(8 * before)) pages = withPage(pages, digest('b'))
  const { size } = whole
  const aged: SessionRecord = { ...session, size, listed: { tree: whole, pages }, anchored: anchoredAt(size) }
  await disk.write(async (tx) => {
    await tx.putSession(aged)
    for (const [at, entry] of entries.entries()) await tx.putEntry(id, session.size + at, entry)
  })
}

const FRESH = 40

/** Chunks one second apart, behind a backlog that came in at forty a second. */
async function recordBehind(before: number, backlog: number, link = SLOW) {
  const world = createWorld()
  await recordSession(world, { chunks: 0, ending: 'recording' })
  world.locks.hold(recordingLockName(id))
  if (before > 0) await withChunksBefore(world, before)
  const { worker, waits } = workerOn(world, link)
  const drain = createDrain(worker)
  const acknowledged = new Map<number, number>()
  const hand = async (index: number, thenMs: number) => {
    await admitChunk(worker, await sealedChunk(id, index))
    acknowledged.set(index, world.clock.now())
    void drain.join('message')
    await world.clock.advance(thenMs)
  }
  for (let index = 0; index < backlog; index++) await hand(index, 25)
  for (let fresh = 0; fresh < FRESH; fresh++) await hand(backlog + fresh, 1_000)
  await world.clock.advance(20_000)
  return { chunks: timesOf(world, acknowledged), waits }
}

const acknowledgedAt = (chunk: ChunkTimes) => chunk.acknowledgedAtMs

// Promise 2 of docs/guarantees.md.
it.each([
  { before: 0, backlog: 0 },
  ...(takesWhole()
    ? [10, 10_000].map((before) => ({ before, backlog: 500 }))
    : [{ before: 10, backlog: 250 }]),
])(
  'after $before chunks, behind a backlog of $backlog on 1 Mbit/s, a chunk is listed within 2 s and in a block within 10 s; a device that is destroyed has all that is 30 s old, and 95 of 100 that are 10 s old',
  async ({ before, backlog }) => {
    const { chunks } = await recordBehind(before, backlog)
    expect(chunks).toHaveLength(backlog + FRESH)
    const fresh = chunks.slice(-FRESH)
    expect(
      quantile(
        spans(fresh, acknowledgedAt, (chunk) => chunk.listedAtMs),
        0.95,
      ),
    ).toBeLessThanOrEqual(2_000)
    expect(
      quantile(
        spans(fresh, acknowledgedAt, (chunk) => chunk.anchoredAtMs),
        0.95,
      ),
    ).toBeLessThanOrEqual(10_000)
    // It was one to the end.
    expect(chunks.filter(({ storedAtMs }) => storedAtMs === undefined).length).toBeGreaterThanOrEqual(
      backlog / 2,
    )
    const [from = 0, to = 0] = [chunks[0], chunks.at(-1)].map((chunk) => chunk?.acknowledgedAtMs)
    for (const atMs of moments(from, to, 200, () => 0.5)) {
      const [old, young] = [foundAfter(chunks, atMs, 30_000), foundAfter(chunks, atMs, 10_000)]
      expect(old.found).toBe(old.chunks)
      expect(young.found).toBeGreaterThanOrEqual(0.95 * young.chunks)
    }
  },
)

// Lanes are taken as long as each brings more, and a browser has six connections to a host over HTTP/1.1.
it('where a server gives each connection so little that all lanes are taken, no page waits for one of them', async () => {
  const chunkBytes = 300_000
  const bytesPerMsEach = 100
  const { waits } = await recordBehind(0, 200, { bytesPerMs: 12_500, bytesPerMsEach, chunkBytes })
  expect(waits.length).toBeGreaterThan(FRESH / 2)
  // For what a head asks, it may.
  expect(Math.max(...waits)).toBeLessThan(chunkBytes / bytesPerMsEach / 10)
})
