import { HoldfastError } from '../../src/protocol/errors.ts'
import type { Clock } from '../ports/platform.ts'
import { WORK_LIMIT_MS, SILENCE_MS, SLOWEST_BYTES_PER_MS } from './limits.ts'

/** How long work may take that sends so many bytes, ms. */
export const timeoutMsOf = (sizeBytes: number) =>
  sizeBytes > 0 ? WORK_LIMIT_MS + sizeBytes / SLOWEST_BYTES_PER_MS : SILENCE_MS

/** Waits for what a browser or an app does, but no longer than this, ms: undefined then, whatever becomes of it. */
export async function atMost<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  const over = new AbortController()
  try {
    return await Promise.race([work, clock.sleep(ms, over.signal).then(() => undefined)])
  } finally {
    over.abort()
  }
}

/**
 * Ends work that others do: its signal aborts when the time is up, or ours does, and nobody waits for it any more, even if
 * it does not heed that.
 *
 * @throws HoldfastError `timeout`, `aborted`
 */
export async function withTimeout<T>(
  clock: Clock,
  sizeBytes: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController()
  signal?.addEventListener('abort', () => over.abort(), { signal: over.signal })
  try {
    const working = !signal?.aborted && work(over.signal).then((result) => ({ result }))
    const done = await Promise.race([working, clock.sleep(timeoutMsOf(sizeBytes), over.signal)])
    if (done) return done.result
  } catch (thrown) {
    // One that has stopped by itself has failed, or it would be tried again at once, for ever.
    if (HoldfastError.from(thrown).code !== 'aborted' && !signal?.aborted) throw thrown
  } finally {
    over.abort()
  }
  throw new HoldfastError(signal?.aborted ? 'aborted' : 'timeout', 'It took too long.')
}
