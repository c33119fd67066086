import { HoldfastError } from '../../src/protocol/errors.ts'
import { request, type Answer } from './request.ts'
import {
  TIMEOUT_MS,
  SLOWEST_BYTES_PER_MS,
  LEAST_BYTES_PER_MS,
  SLACK,
  PART_MS,
  SMALLEST_BYTES,
  TELLING_BYTES,
  MAX_ANSWER_BYTES,
} from './pace.ts'

export interface TimedRequest {
  readonly signal: AbortSignal
  /** Bytes of the request's body; 0 if absent. */
  readonly bodyBytes?: number
  /** Most bytes of the answer's body; 64 KiB if absent. */
  readonly maxBytes?: number
}

/** Requests to one store, each with a deadline that fits the link. */
export interface AdaptiveTimeout {
  request(url: string, init: RequestInit, request: TimedRequest): Promise<Answer>
  /** Bytes of the next part, such that its deadline stays below 30 s; at most `mostBytes`. */
  partBytes(mostBytes: number): number
}

/**
 * Deadlines for one store. `fetch` reports no progress of a request's body, so progress is as fine as requests are,
 * and a request's deadline is a base plus its size over a slow rate. That rate is half of what the link last did:
 * a stalled socket is noticed soon. After a failure nothing is taken as known, and after each timeout half as much is
 * expected of the link, so that one that is merely slow gets the time that it needs. An answer has a time for its
 * whole, too, by the same rate: one that drips ends. What is learnt is a cache: a new worker begins with nothing known.
 */
export function adaptiveTimeout(timeoutMs: number = TIMEOUT_MS): AdaptiveTimeout {
  let bytesPerMs = SLOWEST_BYTES_PER_MS
  return {
    async request(url, init, { signal, bodyBytes = 0, maxBytes = MAX_ANSWER_BYTES }) {
      const began = performance.now()
      const expected = bytesPerMs
      const deadlineMs = timeoutMs + bodyBytes / expected
      const answerMs = timeoutMs + maxBytes / expected
      try {
        const answer = await request(url, init, {
          signal,
          deadlineMs,
          silenceMs: timeoutMs,
          answerMs,
          maxBytes,
        })
        // A refusal may come before the body has left.
        if (answer.ok) {
          const seen = bodyBytes / (performance.now() - began + 1) / SLACK
          bytesPerMs = bodyBytes < TELLING_BYTES ? Math.max(bytesPerMs, seen) : seen
        }
        return answer
      } catch (error) {
        // Of several that began together, and were too slow together, one counts.
        const left = HoldfastError.from(error).code === 'timeout' ? expected / 2 : bytesPerMs
        bytesPerMs = Math.max(LEAST_BYTES_PER_MS, Math.min(SLOWEST_BYTES_PER_MS, left))
        throw error
      }
    },
    partBytes: (mostBytes) => Math.min(mostBytes, Math.max(SMALLEST_BYTES, Math.floor(bytesPerMs * PART_MS))),
  }
}
