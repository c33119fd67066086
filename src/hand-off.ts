import type { Connection } from './connection.ts'
import { sha256Hex } from './evidence/digest.ts'
import { isHoldfastError } from './protocol/errors.ts'
import type { ChunkId } from './protocol/ids.ts'
import type { HandedChunk } from './protocol/messages.ts'
import { readOnce } from './read-bytes.ts'
import { requestWithRetry, type RetryOptions } from './request-with-retry.ts'

export interface HandOffOptions extends RetryOptions {
  /** Makes the chunk anew, where the bytes that the page keeps have changed too. */
  readonly prepareAgain?: () => Promise<HandedChunk>
}

/**
 * Hands one chunk to the worker until it is acknowledged. The worker knows a repetition by its content. Where it read
 * other bytes than were announced, the handle that it was given is no good, and it gets another of the same bytes.
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
    chunk ??= (await withAnotherHandle(first)) ?? (await prepareAgain())
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

/** The chunk as it was made; undefined where its bytes can no longer be read, or are not what they were. */
async function withAnotherHandle(chunk: HandedChunk): Promise<HandedChunk | undefined> {
  const bytes = await readOnce(chunk.payload).catch(() => undefined)
  const hash = chunk.seal?.encryptedHash ?? chunk.plaintextHash
  if (!bytes || (await sha256Hex(bytes)) !== hash) return undefined
  return { ...chunk, payload: new Blob([bytes]) }
}
