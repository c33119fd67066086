import type { Connection } from './connection.ts'
import { onBroadcast } from './on-broadcast.ts'
import { HoldfastError, type ErrorCode } from './protocol/errors.ts'
import { following } from './protocol/following.ts'
import type { Acquire } from './semaphore.ts'
import { unlessAborted } from './protocol/unless-aborted.ts'
import { FIRST_WAIT_MS, LONGEST_WAIT_MS } from './timeouts.ts'

/**
 * Refusals that pass by themselves: the page keeps what it has and asks again. True for those that tell of this request
 * alone, and let the next one have the turn meanwhile; the others would meet every request.
 */
const PASSING: Partial<Record<ErrorCode, boolean>> = {
  'worker-timeout': true,
  'hash-mismatch': true,
  'storage-full': false,
  'storage-failed': false,
  'protocol-mismatch': false,
  'no-service-worker': false,
  // What we did not foresee may pass too, and evidence is not dropped for it.
  defect: true,
}

/** Whether a refusal passes by itself. */
export const passes = (code: ErrorCode): boolean => PASSING[code] !== undefined

export interface RetryOptions {
  /** How many ask at a time; default: no limit. */
  readonly acquire?: Acquire
  readonly signal?: AbortSignal | undefined
  /** Told of each refusal that can pass, and which attempt it was, from 0. */
  readonly onStalled?: (error: HoldfastError, attempt?: number) => void
}

/**
 * Asks until the worker has answered: again after a silence, after a refusal that can pass, and at once when a new
 * worker takes over or, on a full device, when the worker tells of a change. Only for requests that the worker knows
 * again.
 *
 * @throws HoldfastError a refusal that cannot pass; the signal's reason
 */
export const requestWithRetry = <Answer>(
  connection: Connection,
  ask: () => Promise<Answer>,
  { acquire, signal, onStalled }: RetryOptions = {},
): Promise<Answer> =>
  unlessAborted(signal, async () => {
    let release = await acquire?.()
    try {
      for (let attempt = 0; ; attempt++) {
        signal?.throwIfAborted()
        const waiting = following(signal)
        const notify = () => waiting.abort()
        const { signal: wakeSignal } = waiting
        const woken = new Promise<void>((wake) => wakeSignal.addEventListener('abort', () => wake()))
        let timer: ReturnType<typeof setTimeout> | undefined
        connection.onNewWorker(notify, wakeSignal)
        try {
          const answered = ask().then((answer) => ({ answer }))
          const result = await Promise.race([answered, woken])
          if (result) return result.answer
        } catch (thrown) {
          const error = HoldfastError.from(thrown)
          const letsOthersAsk = PASSING[error.code]
          if (letsOthersAsk === undefined) throw error
          onStalled?.(error, attempt)
          if (letsOthersAsk) release?.()
          // A change may have freed space.
          if (error.code === 'storage-full') onBroadcast(connection, notify, wakeSignal)
          timer = setTimeout(notify, Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS))
          await woken
          if (letsOthersAsk) release = await acquire?.()
        } finally {
          clearTimeout(timer)
          notify()
        }
      }
    } finally {
      release?.()
    }
  })
