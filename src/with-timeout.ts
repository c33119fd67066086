import { following } from './protocol/following.ts'
import { unlessAborted } from './protocol/unless-aborted.ts'

/** A timer of a longer time, from 2^31 ms on, goes off at once. */
const LONGEST_TIMER_MS = 2e9

/**
 * What the work comes to, unless it takes too long or the signal aborts first: every wait on the platform has an end.
 *
 * @param work given a signal that aborts with the wait
 * @throws `late`, after `ms`; the signal's reason
 */
export function withTimeout<T>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  late: Error = new DOMException('It took too long.', 'TimeoutError'),
): Promise<T> {
  const over = following(signal)
  // By halves: a page that was frozen over one of them has the other to hear what came meanwhile.
  const halfMs = Math.min(ms / 2, LONGEST_TIMER_MS)
  let timer = setTimeout(() => (timer = setTimeout(() => over.abort(late), halfMs)), halfMs)
  return unlessAborted(over.signal, () => work(over.signal)).finally(() => {
    clearTimeout(timer)
    over.abort()
  })
}
