import { following } from './protocol/following.ts'
import { unlessAborted } from './protocol/unless-aborted.ts'

/** A timer of a longer time goes off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * What the work comes to, unless it takes too long or the signal aborts first: every wait on the platform has an end.
 *
 * @param work given a signal that aborts with the wait
 * @throws what `late` makes, after `ms`; the signal's reason
 */
export function withTimeout<T>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  late: () => unknown = () => new DOMException('It took too long.', 'TimeoutError'),
): Promise<T> {
  const over = following(signal)
  const timer = setTimeout(() => over.abort(late()), Math.min(ms, LONGEST_TIMER_MS))
  return unlessAborted(over.signal, () => work(over.signal)).finally(() => {
    clearTimeout(timer)
    over.abort()
  })
}
