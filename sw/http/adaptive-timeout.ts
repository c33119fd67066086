import { HoldfastError } from '../../src/protocol/errors.ts'
import { isGone, withTimeout, requestUrl, type Answer } from './request.ts'
import {
  TIMEOUT_MS,
  SLOWEST_BYTES_PER_MS,
  LEAST_BYTES_PER_MS,
  SLACK,
  TELLING_BYTES,
  MAX_ANSWER_BYTES,
} from './http-limits.ts'

export interface TimedRequest {
  readonly signal: AbortSignal
  /** Bytes of the request's body; 0 if absent. */
  readonly bodyBytes?: number | undefined
  /** Most bytes of the answer's body, beyond the 64 KiB that any may have: a refusal may be longer than what was asked for. */
  readonly maxBytes?: number
}

/** Requests to one server, each with a deadline that fits the link. */
export interface AdaptiveTimeout {
  /**
   * One request with its answer; statuses are the caller's.
   *
   * @throws HoldfastError `unreachable`, `timeout`, `aborted`; `bad-answer` for a body that is too long; `bad-input` where no
   *   request can be made of URL and headers
   */
  request(url: string, init: RequestInit, request: TimedRequest): Promise<Answer>
  /** What is expected of the link. */
  bytesPerMs(): number
}

/**
 * Deadlines for one server. `fetch` reports no progress of a request's body, so progress is as fine as requests are,
 * and a request's deadline is a base plus its size over a slow rate. That rate is half of what the link last did:
 * a stalled socket is noticed soon. After a failure nothing is taken as known, and after each timeout half as much is
 * expected of the link, so that one that is merely slow gets the time that it needs. The deadline moves with each piece
 * of the answer, which has a time for its whole, too, by the same rate: one that drips ends. What is learnt is a cache:
 * a new worker begins with nothing known.
 */
export function adaptiveTimeout(timeoutMs: number = TIMEOUT_MS): AdaptiveTimeout {
  let bytesPerMs = SLOWEST_BYTES_PER_MS
  return {
    async request(url, init, { signal, bodyBytes = 0, maxBytes = 0 }) {
      const { origin } = requestUrl(url, init)
      const began = performance.now()
      const expected = bytesPerMs
      try {
        const answer = await withTimeout(origin, signal, async (until, endIn): Promise<Answer> => {
          const ask = (redirect: RequestRedirect) => {
            // Each time anew: a store may take long to find that it has nothing.
            endIn(timeoutMs + bodyBytes / expected)
            // A copy in the browser's cache proves nothing about the store.
            return fetch(url, { ...init, redirect, cache: 'no-store', signal: until })
          }
          let response = await ask('manual')
          // A body goes once, and nowhere else: each place on the way would get all of it, twenty of a loop.
          if (!init.body) {
            // A redirect, which browsers show as status 0. Where following fails, the first answer says that it is a redirect.
            if (response.status % 300 < 100) response = await ask('follow').catch(() => response)
            if (isGone(response)) {
              // One answer may be of something between us, such as a stale cache.
              const again = await ask('follow')
              // A signed URL may be good for one use.
              response = again.status === 403 ? response : again
            }
          }
          const latestMs = performance.now() + timeoutMs + maxBytes / expected
          // By hand, as not every browser can iterate a stream.
          const reader = response.body?.getReader()
          // One piece of memory for all of it, in however many pieces it comes: a copy that is read back is large.
          const held = new Uint8Array(reader ? maxBytes + MAX_ANSWER_BYTES : 0)
          let length = 0
          try {
            for (let piece; (piece = (await reader?.read())?.value); length += piece.length) {
              endIn(Math.min(timeoutMs, latestMs - performance.now()))
              // Throws where the answer is too long.
              held.set(piece, length)
            }
          } catch {
            // What refuses has said so before, whatever becomes of its words. Nor is this a dead network: it has answered.
            if (response.ok) throw new HoldfastError('bad-answer', `${origin} answered too long, or cut off.`)
          }
          const answer: Answer = {
            origin,
            url: response.url,
            status: response.status,
            ok: response.ok,
            headers: response.headers,
            bytes: held.subarray(0, length),
            // Most answers are asked for no text, and content is none.
            get text() {
              return new TextDecoder().decode(this.bytes)
            },
          }
          return answer
        })
        // A refusal may come before the body has left.
        if (answer.ok) {
          const seen = bodyBytes / (performance.now() - began + 1) / SLACK
          bytesPerMs = Math.max(seen, bodyBytes < TELLING_BYTES ? bytesPerMs : 0)
        }
        return answer
      } catch (error) {
        // Of several that began together, and were too slow together, one counts.
        const left = (error as HoldfastError).code === 'timeout' ? expected / 2 : bytesPerMs
        bytesPerMs = Math.max(LEAST_BYTES_PER_MS, Math.min(SLOWEST_BYTES_PER_MS, left))
        throw error
      }
    },
    bytesPerMs() {
      return bytesPerMs
    },
  }
}
