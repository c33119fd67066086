import { HoldfastError } from '../../src/protocol/errors.ts'
import { following } from '../../src/protocol/following.ts'
import type { Clock } from '../ports/platform.ts'

/** As long as the longest wake, ms: whatever each request inside may last, no wake extends the work beyond it. */
const LIMIT_MS = 270_000
/** And the time that the bytes need on the slowest link, bytes per ms. */
const SLOWEST_BYTES_PER_MS = 2

/**
 * Ends work that others do: its signal aborts when the time is up, and nobody waits for it any more, even if it does
 * not heed that.
 *
 * @throws HoldfastError `timeout`
 */
export async function limited<T>(
  clock: Clock,
  sizeBytes: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController()
  const outOfTime = async () => {
    await clock.sleep(LIMIT_MS + sizeBytes / SLOWEST_BYTES_PER_MS, over.signal)
    throw new HoldfastError('timeout', 'It took too long.')
  }
  try {
    return await Promise.race([work(following(signal, over.signal).signal), outOfTime()])
  } finally {
    over.abort()
  }
}
