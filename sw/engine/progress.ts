import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import type { Clock } from '../ports/platform.ts'

/** How far uploads under way are, and how fast; lost with the worker, and built up again by the next progress. */
export interface Progress {
  /** Runs one upload of a chunk, whose record tells of it from its end on. While none runs, no time passes for the rate. */
  during<T>(id: ChunkId, upload: () => Promise<T>): Promise<T>
  /**
   * Notes how much of a chunk its store is known to have.
   *
   * @param sent whether bytes were sent for it just now, and not found there
   */
  reached(id: ChunkId, offsetBytes: number, sent: boolean): void
  /** Bytes of this chunk, or of all of a session's chunks, that their store is known to have. */
  bytesOf(id: ChunkId | SessionId): number
  /** Of all uploads together; 0 while it is not known: at first, after a failure, or when nothing moved for a minute. */
  bytesPerSecond(): number
}

/** At each progress, what was before counts so much less. */
const FADING = 0.9
/** Longer than a chunk takes on a slow link, ms. */
const STALE_MS = 60_000

export function createProgress({ ticks }: Clock): Progress {
  const offsets = new Map<ChunkId, number>()
  let running = 0
  /** Bytes that arrived lately, and the time that it took, up to `atMs`. */
  let bytes = 0
  let ms = 0
  let atMs = 0

  const bytesPerSecond = () => (ms > 0 && ticks() - atMs < STALE_MS ? Math.round((1_000 * bytes) / ms) : 0)

  return {
    async during(id, upload) {
      if (running++ === 0) {
        if (bytesPerSecond() === 0) bytes = ms = 0
        atMs = ticks()
      }
      try {
        const result = await upload()
        offsets.delete(id)
        return result
      } catch (error) {
        bytes = ms = 0
        throw error
      } finally {
        running--
      }
    },
    reached(id, offsetBytes, sent) {
      const moreBytes = offsetBytes - (offsets.get(id) ?? 0)
      offsets.set(id, offsetBytes)
      if (!sent || moreBytes <= 0) return
      bytes = bytes * FADING + moreBytes
      ms = ms * FADING + ticks() - atMs
      atMs = ticks()
    },
    bytesOf(of) {
      let sum = 0
      for (const [id, offsetBytes] of offsets) if (`${id}/`.startsWith(`${of}/`)) sum += offsetBytes
      return sum
    },
    bytesPerSecond,
  }
}
