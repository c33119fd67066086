/** What became of one chunk, and when, ms since the epoch; a time is absent where that never came. */
export interface ChunkTimes {
  readonly index: number
  /** Of the ciphertext. */
  readonly sizeBytes: number
  readonly durationMs: number
  /** The recorder gave it. */
  readonly capturedAtMs: number
  /** The page was told that it is durable. */
  readonly acknowledgedAtMs?: number | undefined
  /** The store had a page of the log that names it. */
  readonly listedAtMs?: number | undefined
  /** A block had a head that covers it. */
  readonly anchoredAtMs?: number | undefined
  /** The store had its bytes, under their address. */
  readonly storedAtMs?: number | undefined
}

/** From when on a chunk is safe, were the device destroyed: its bytes are there, and so is who can find them. */
export const safeAtMs = ({ storedAtMs = Infinity, listedAtMs = Infinity }: ChunkTimes) =>
  Math.max(storedAtMs, listedAtMs)

/**
 * When the link alone would have carried each chunk's bytes, were they all that it carried, in order: ms from its capture.
 * Where more is recorded than the link bears, this grows as well.
 */
export function linkTimes(chunks: readonly ChunkTimes[], bytesPerSec: number): number[] {
  let freeAtMs = 0
  return chunks.map(({ capturedAtMs, sizeBytes }) => {
    freeAtMs = Math.max(freeAtMs, capturedAtMs) + (sizeBytes / bytesPerSec) * 1_000
    return freeAtMs - capturedAtMs
  })
}

/** Length of what is recorded and not safe at that moment, ms: what is in the recorder too. */
export function unsafeMs(chunks: readonly ChunkTimes[], atMs: number): number {
  const [first] = chunks
  if (first === undefined) return 0
  const safe = chunks.filter((chunk) => safeAtMs(chunk) <= atMs)
  const recordedMs = Math.max(0, atMs - (first.capturedAtMs - first.durationMs))
  return Math.max(0, recordedMs - safe.reduce((sum, { durationMs }) => sum + durationMs, 0))
}

/** Chunks that had been acknowledged for so long when the profile was destroyed, and those of them that are found. */
export interface Found {
  readonly chunks: number
  /** Listed at the store, and their time proved on the chain. */
  readonly found: number
}

/** What is left of a recording whose device is destroyed at that moment. */
export function foundAfter(chunks: readonly ChunkTimes[], atMs: number, olderThanMs: number): Found {
  const old = chunks.filter(({ acknowledgedAtMs = Infinity }) => acknowledgedAtMs < atMs - olderThanMs)
  const found = old.filter(
    ({ listedAtMs = Infinity, anchoredAtMs = Infinity }) => Math.max(listedAtMs, anchoredAtMs) <= atMs,
  )
  return { chunks: old.length, found: found.length }
}

/** Moments spread over a recording: each at a chance place of its own share of the time, so that none is left out. */
export function moments(
  fromMs: number,
  toMs: number,
  count: number,
  random: () => number = Math.random,
): number[] {
  const shareMs = (toMs - fromMs) / count
  return Array.from({ length: count }, (_none, at) => fromMs + (at + random()) * shareMs)
}

/** The smallest of the numbers that is no less than this share of them; what never came counts as Infinity. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN
}

/** From one time to another for each chunk that has the first; Infinity where the second never came. */
export const spans = (
  chunks: readonly ChunkTimes[],
  from: (chunk: ChunkTimes) => number | undefined,
  to: (chunk: ChunkTimes) => number | undefined,
): number[] =>
  chunks.flatMap((chunk) => {
    const fromMs = from(chunk)
    return fromMs === undefined ? [] : [Math.max(0, (to(chunk) ?? Infinity) - fromMs)]
  })
