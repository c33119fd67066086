import type { Backend } from '../backend/index.ts'
import { readBack } from '../read-back.ts'
import {
  foundAfter,
  linkTimes,
  moments,
  quantile,
  safeAtMs,
  spans,
  unsafeMs,
  type ChunkTimes,
} from './timeline.ts'
import { bytesPerSec, type LinkShape, type Recorded, type SafeStack } from './safe-stack.ts'

/** p50 and p95, ms. */
export type Spread = readonly [median: number, p95: number]

const spread = (numbers: readonly number[]): Spread => [quantile(numbers, 0.5), quantile(numbers, 0.95)]

/** Round trip of every link here, ms. */
export const ROUND_TRIP_MS = 60
const MOMENTS = 200

/** What a camera is asked for over a link of so many Mbit/s: no more than the link bears, or than one gives by itself. */
const videoBitsPerSecond = (mbit: number) => Math.min(2_500_000, 0.75e6 * mbit)

export interface TimeToSafe {
  readonly kind: 'time-to-safe'
  readonly mbit: number
  readonly chunks: number
  /** Of what was recorded, Mbit/s. */
  readonly recordedMbit: number
  readonly picture: string
  readonly acknowledged: Spread
  readonly listed: Spread
  readonly stored: Spread
  readonly inBlock: Spread
  /** The link's own for the bytes. */
  readonly link: Spread
  /** Of each chunk: 1.3 × the link's time and one round trip at most. Its share, and how much longer it took, ms. */
  readonly withinGoal: number
  readonly beyond: Spread
  /** Video that is not safe at 200 moments. */
  readonly unsafe: Spread
}

export async function timeToSafe(world: SafeStack, mbit: number, seconds: number): Promise<TimeToSafe> {
  const link = { mbit, roundTripMs: ROUND_TRIP_MS }
  const { chunks, picture } = await world.run(
    {
      from: 'camera',
      recordMs: seconds * 1_000,
      timesliceMs: 1_000,
      videoBitsPerSecond: videoBitsPerSecond(mbit),
      seal: 'page',
    },
    link,
  )
  const captured = (chunk: ChunkTimes) => chunk.capturedAtMs
  const ideal = linkTimes(chunks, bytesPerSec(link))
  const stored = spans(chunks, captured, (chunk) => chunk.storedAtMs)
  const beyond = stored.map((ms, at) => ms - ((ideal[at] ?? 0) * 1.3 + ROUND_TRIP_MS))
  const { first, last, recordedMs, bytes } = extentOf(chunks)
  return {
    kind: 'time-to-safe',
    mbit,
    chunks: chunks.length,
    recordedMbit: (bytes * 8) / recordedMs / 1_000,
    picture,
    acknowledged: spread(spans(chunks, captured, (chunk) => chunk.acknowledgedAtMs)),
    listed: spread(spans(chunks, captured, (chunk) => chunk.listedAtMs)),
    stored: spread(stored),
    inBlock: spread(spans(chunks, captured, (chunk) => chunk.anchoredAtMs)),
    link: spread(ideal),
    withinGoal: beyond.filter((ms) => ms <= 0).length / beyond.length,
    beyond: spread(beyond.map((ms) => Math.max(0, ms))),
    unsafe: spread(moments(first, last, MOMENTS).map((atMs) => unsafeMs(chunks, atMs))),
  }
}

function extentOf(chunks: readonly ChunkTimes[]) {
  const [first, last] = [chunks[0]?.capturedAtMs ?? NaN, chunks.at(-1)?.capturedAtMs ?? NaN]
  return {
    first,
    last,
    recordedMs: chunks.reduce((sum, { durationMs }) => sum + durationMs, 0),
    bytes: chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  }
}

/** The same over many recordings, each as it stood at its moments. */
export interface Destroyed {
  readonly kind: 'destroyed'
  readonly mbit: number
  readonly recordings: number
  readonly moments: number
  /** Of the chunks that were acknowledged more than 30 s before: the worst share of all moments. */
  readonly over30: number
  /** The same of those more than 10 s before, and of all moments together. */
  readonly over10: number
  readonly over10All: number
  /** From acknowledgement to page and block, over all chunks: p95, and the longest, ms. */
  readonly foundMs: readonly [p95: number, longest: number]
}

export async function destroyed(
  world: SafeStack,
  mbit: number,
  seconds: number,
  recordings: number,
): Promise<Destroyed> {
  const link = { mbit, roundTripMs: ROUND_TRIP_MS }
  const shares: { over30: number; over10: number; chunks10: number; found10: number }[] = []
  const found: number[] = []
  for (let at = 0; at < recordings; at++) {
    const { chunks } = await world.run(
      // As much as the link bears: what waits grows.
      {
        from: 'camera',
        recordMs: seconds * 1_000,
        timesliceMs: 1_000,
        videoBitsPerSecond: mbit * 1e6,
        seal: 'page',
      },
      link,
    )
    const { first, last } = extentOf(chunks)
    for (const atMs of moments(first, last, Math.ceil(MOMENTS / recordings))) {
      const [old, young] = [foundAfter(chunks, atMs, 30_000), foundAfter(chunks, atMs, 10_000)]
      shares.push({
        over30: shareOf(old),
        over10: shareOf(young),
        chunks10: young.chunks,
        found10: young.found,
      })
    }
    found.push(
      ...spans(
        chunks,
        (chunk) => chunk.acknowledgedAtMs,
        ({ listedAtMs = Infinity, anchoredAtMs = Infinity }) => Math.max(listedAtMs, anchoredAtMs),
      ),
    )
  }
  const sum = (of: 'chunks10' | 'found10') => shares.reduce((all, share) => all + share[of], 0)
  return {
    kind: 'destroyed',
    mbit,
    recordings,
    moments: shares.length,
    over30: Math.min(...shares.map(({ over30 }) => over30)),
    over10: Math.min(...shares.map(({ over10 }) => over10)),
    over10All: sum('found10') / sum('chunks10'),
    foundMs: [quantile(found, 0.95), quantile(found, 1)],
  }
}

const shareOf = ({ chunks, found }: { readonly chunks: number; readonly found: number }) =>
  chunks === 0 ? 1 : found / chunks

/** One device that is destroyed in mid-recording, and what a reader finds of it after. */
export interface Destruction {
  readonly kind: 'destruction'
  readonly afterMs: number
  readonly acknowledged: number
  /** Acknowledged more than 30 s before: how many, and how many of them the reader lists with a time. */
  readonly over30: number
  readonly over30Found: number
  readonly over10: number
  readonly over10Found: number
  /** Chunks that the reader lists, and those of them of which it also has the bytes. */
  readonly listed: number
  readonly proved: number
  /** Whether the reader lists what the ledger and the chain say that was there. */
  readonly agrees: boolean
}

export async function destroyOnce(world: SafeStack, mbit: number, afterMs: number): Promise<Destruction> {
  const link: LinkShape = { mbit, roundTripMs: ROUND_TRIP_MS }
  const recorded = await world.run(
    {
      from: 'camera',
      recordMs: 10 * afterMs,
      timesliceMs: 1_000,
      videoBitsPerSecond: mbit * 1e6,
      seal: 'page',
    },
    link,
    afterMs,
  )
  return judge(world.backend, recorded, afterMs)
}

async function judge(
  backend: Backend,
  { name, groupKey, chunks, endedAtMs }: Recorded,
  afterMs: number,
): Promise<Destruction> {
  const read = await readBack(backend, name, groupKey).catch(() => undefined)
  const dated = new Set(
    [...(read?.proved ?? []), ...(read?.bad ?? [])]
      .filter(({ existedBeforeMs }) => existedBeforeMs !== undefined)
      .map(({ index }) => index),
  )
  const acknowledgedBefore = (ms: number) =>
    chunks.filter(({ acknowledgedAtMs = Infinity }) => acknowledgedAtMs < endedAtMs - ms)
  const over30 = acknowledgedBefore(30_000)
  const over10 = acknowledgedBefore(10_000)
  const isThere = ({ index }: ChunkTimes) => dated.has(index)
  const isAnchored = ({ anchoredAtMs }: ChunkTimes) => anchoredAtMs !== undefined
  return {
    kind: 'destruction',
    afterMs,
    acknowledged: acknowledgedBefore(0).length,
    over30: over30.length,
    over30Found: over30.filter(isThere).length,
    over10: over10.length,
    over10Found: over10.filter(isThere).length,
    listed: dated.size,
    proved: read?.proved.length ?? 0,
    agrees: chunks.every((chunk) => isThere(chunk) === isAnchored(chunk)),
  }
}

/** Fresh chunks beside a backlog. */
export interface Backlog {
  readonly kind: 'backlog'
  readonly mbit: number
  /** Chunks of the session that were done with before. */
  readonly before: number
  readonly queued: number
  /** Of the backlog, how much had no copy when the last fresh chunk was listed. */
  readonly left: number
  readonly fresh: number
  /** From acknowledgement, ms. */
  readonly listed: Spread
  readonly inBlock: Spread
}

export async function backlog(
  world: SafeStack,
  mbit: number,
  { before = 0, queued = 500, queuedBytes = 65_536, fresh = 40 },
): Promise<Backlog> {
  const { chunks } = await world.run(
    { from: 'backlog', before, queued, queuedBytes, fresh, freshBytes: 16_384 },
    { mbit, roundTripMs: ROUND_TRIP_MS },
  )
  const acknowledged = (chunk: ChunkTimes) => chunk.acknowledgedAtMs
  const lastListedAtMs = Math.max(...chunks.map(({ listedAtMs = 0 }) => listedAtMs))
  return {
    kind: 'backlog',
    mbit,
    before,
    queued,
    // They go up in order: while no fresh one is stored, so many at least are not either.
    left: chunks.filter((chunk) => safeAtMs(chunk) > lastListedAtMs).length,
    fresh: chunks.length,
    listed: spread(spans(chunks, acknowledged, (chunk) => chunk.listedAtMs)),
    inBlock: spread(spans(chunks, acknowledged, (chunk) => chunk.anchoredAtMs)),
  }
}

export type Measured = TimeToSafe | Destroyed | Destruction | Backlog
