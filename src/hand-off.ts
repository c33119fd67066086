import type { Connection } from './connection.ts'
import { isHoldfastError } from './protocol/errors.ts'
import type { ChunkId } from './protocol/ids.ts'
import type { HandedChunk } from './protocol/messages.ts'
import { requestWithRetry, type RetryOptions } from './request-with-retry.ts'

export interface HandOffOptions extends RetryOptions {
  /** Where the worker read other bytes than were announced, the handle that it was given is no good: makes another. */
  readonly prepareAgain?: () => Promise<HandedChunk>
}

/**
 * Hands one chunk to the worker until it is acknowledged. The worker knows a repetition by its content.
 *
 * @throws HoldfastError a refusal that cannot pass; the signal's reason
 */
export async function handOff(
  connection: Connection,
  first: HandedChunk,
  { prepareAgain = async () => first, ...options }: HandOffOptions = {},
): Promise<ChunkId> {
  let chunk: HandedChunk | undefined = first
  const ask = async () => {
    chunk ??= await prepareAgain()
    try {
      return await connection.request({ type: 'chunk', chunk })
    } catch (error) {
      if (isHoldfastError(error, 'hash-mismatch')) chunk = undefined
      throw error
    }
  }
  const { acknowledged } = await requestWithRetry(connection, ask, options)
  return acknowledged as ChunkId
}
