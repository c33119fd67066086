import type { Connection } from './connection.ts'
import { HoldfastError, type ErrorCode } from './protocol/errors.ts'

/** Refusals that pass by themselves, and silence. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'worker-timeout',
  'hash-mismatch',
  'storage-full',
  'storage-failed',
  'protocol-mismatch',
])

/** First and largest wait before a request is repeated, ms. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 10_000

/**
 * Asks until the worker has answered: again after a silence, after a refusal that can pass, and at once when a new
 * worker takes over. Only for requests that the worker knows again.
 *
 * @throws HoldfastError a refusal that cannot pass, or `aborted`
 */
export async function insist<Answer>(
  connection: Connection,
  ask: () => Promise<Answer>,
  signal?: AbortSignal,
): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    if (signal?.aborted)
      throw new HoldfastError('aborted', 'The page gave up before the worker had answered.')
    try {
      return await ask()
    } catch (thrown) {
      const error = HoldfastError.from(thrown)
      if (!PASSING.has(error.code)) throw error
      await pause(Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS), connection, signal)
    }
  }
}

function pause(ms: number, connection: Connection, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
    connection.onNewWorker(resolve)
    signal?.addEventListener('abort', () => resolve(), { once: true })
  })
}
