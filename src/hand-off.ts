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
    const change = nextChange(connection, signal)
    try {
      const answer = await Promise.race([connection.ask({ type: 'chunk', chunk }), change.came])
      if (answer !== undefined) return answer.acknowledged as ChunkId
    } catch (thrown) {
      const error = HoldfastError.from(thrown)
      if (!PASSING.has(error.code)) throw error
      await change.orAfter(Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS))
    } finally {
      change.forget()
    }
  }
}

/** Comes when another worker takes over, or the page gives the chunk up. */
function nextChange(connection: Connection, signal?: AbortSignal) {
  let come = () => {}
  let timer: ReturnType<typeof setTimeout> | undefined
  const came = new Promise<undefined>((resolve) => {
    come = () => resolve(undefined)
  })
  const forgetWorker = connection.onNewWorker(come)
  signal?.addEventListener('abort', come)
  return {
    came,
    orAfter: (ms: number) => {
      timer = setTimeout(come, ms)
      return came
    },
    forget: () => {
      clearTimeout(timer)
      forgetWorker()
      signal?.removeEventListener('abort', come)
    },
  }
}
