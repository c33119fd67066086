/** First upper bound of the wait after a failure, ms. */
const BASE_MS = 500
/** Largest wait between attempts of one item, ms. */
const CAP_MS = 60_000

/** Longest `Retry-After` that is heeded, ms; so the longest legal wait of anything but a trial of what is parked. */
export const LONGEST_WAIT_MS = 3_600_000

/**
 * A stored time as far as it can be true: one that lies further ahead than any wait may last was stored under a clock
 * that was ahead, and is due.
 *
 * @param longestMs the longest legal wait of its kind
 */
export const believedMs = (timeMs: number, nowMs: number, longestMs = LONGEST_WAIT_MS): number =>
  timeMs > nowMs + longestMs ? nowMs : timeMs

/**
 * Wait before the next attempt: full jitter, but never sooner than the server asked.
 * Full jitter after "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @param failures consecutive failures, from 1
 * @param floorMs the server's Retry-After, ms; 0 if absent (RFC 9110 §10.2.3)
 * @param random uniform in [0, 1)
 * @param capMs largest wait, ms; the floor may exceed it
 * @returns ms
 */
export function retryDelayMs(failures: number, floorMs: number, random: number, capMs = CAP_MS): number {
  const ceiling = Math.min(capMs, BASE_MS * 2 ** Math.min(failures - 1, 20))
  return Math.max(floorMs, Math.round(ceiling * random))
}
