import type { Connection } from './connection.ts'
import { requestWithRetry, type RetryOptions } from './request-with-retry.ts'
import type { ChunkId } from './protocol/ids.ts'
import type { HandedChunk } from './protocol/messages.ts'

/**
 * Hands one chunk to the worker until it is acknowledged. The worker knows a repetition by its content.
 *
 * @throws HoldfastError a refusal that cannot pass; the signal's reason
 */
export async function handOff(
  connection: Connection,
  chunk: HandedChunk,
  options: RetryOptions = {},
): Promise<ChunkId> {
  const { acknowledged } = await requestWithRetry(
    connection,
    () => connection.request({ type: 'chunk', chunk }),
    options,
  )
  return acknowledged as ChunkId
}
