import type { Connection } from './connection.ts'
import { HoldfastError, type ErrorCode } from './protocol/errors.ts'
import type { ChunkId } from './protocol/ids.ts'
import type { HandedChunk } from './protocol/messages.ts'

/** Refusals that pass by themselves: the page keeps the bytes and sends them again. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'worker-timeout',
  'hash-mismatch',
  'storage-full',
  'storage-failed',
  'protocol-mismatch',
])

/** First and largest wait before a hand-off is repeated, ms. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 10_000

/**
 * Hands one chunk to the worker until it is acknowledged: again after a silence, after a refusal that can pass, and
 * at once when a new worker takes over. The worker knows a repetition by its content.
 *
 * @throws HoldfastError a refusal that cannot pass, or `aborted`
 */
export async function handOff(
  connection: Connection,
  chunk: HandedChunk,
  signal?: AbortSignal,
): Promise<ChunkId> {
  for (let attempt = 0; ; attempt++) {
    if (signal?.aborted) throw new HoldfastError('aborted', `Chunk ${chunk.index} was given up by the page.`)
    try {
      const { acknowledged } = await connection.ask({ type: 'chunk', chunk })
      return acknowledged as ChunkId
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
