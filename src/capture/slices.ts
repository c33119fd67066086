import { MAX_CHUNK_BYTES } from '../protocol/messages.ts'

/** Largest piece that is handed over as one chunk: what sealing adds fits, too. */
export const MAX_PIECE_BYTES = MAX_CHUNK_BYTES - 1024

/** A slice of the recorder's, or what several or a part of one are as one chunk. */
export interface Slice {
  readonly data: Blob
  readonly capturedAtMs: number
  readonly durationMs: number
  /** Called once, when the worker has it. */
  readonly taken: () => void
}

/**
 * Takes the first of these out, joined with those that follow on it as long as all of them make no more than one chunk.
 *
 * @param waiting in order; not empty
 * @param chunkMs longest chunk that is made by joining, ms
 */
export function takeJoined(waiting: Slice[], chunkMs: number): Slice {
  let [{ durationMs, data, capturedAtMs }] = waiting as [Slice]
  let { size } = data
  let count = 1
  for (const next of waiting.slice(1)) {
    const isNext = next.capturedAtMs === capturedAtMs + durationMs
    if (!isNext || durationMs + next.durationMs > chunkMs || size + next.data.size > MAX_PIECE_BYTES) break
    durationMs += next.durationMs
    size += next.data.size
    count++
  }
  const joined = waiting.splice(0, count)
  if (count > 1) data = new Blob(joined.map((slice) => slice.data))
  return { data, capturedAtMs, durationMs, taken: () => joined.forEach(({ taken }) => taken()) }
}

/** Pieces that are small enough, the time shared by their sizes; the last of them that is taken counts. */
export function cut({ data, capturedAtMs, durationMs, taken }: Slice): readonly Slice[] {
  const count = Math.max(1, Math.ceil(data.size / MAX_PIECE_BYTES))
  let left = count
  return Array.from({ length: count }, (_none, at) => ({
    data: count === 1 ? data : data.slice(at * MAX_PIECE_BYTES, (at + 1) * MAX_PIECE_BYTES),
    capturedAtMs: Math.round(capturedAtMs + (durationMs * at) / count),
    durationMs: Math.round(durationMs / count),
    taken: () => {
      if (--left === 0) taken()
    },
  }))
}
