import type { Connection } from './connection.ts'
import { insist, type InsistOptions } from './request-with-retry.ts'
import type { ChunkId } from './protocol/ids.ts'
import type { HandedChunk } from './protocol/messages.ts'

/**
 * Hands one chunk to the worker until it is acknowledged. The worker knows a repetition by its content.
 *
 * @throws HoldfastError a refusal that cannot pass, or `aborted`
 */
export async function handOff(
  connection: Connection,
  chunk: HandedChunk,
  options: InsistOptions = {},
): Promise<ChunkId> {
  const { acknowledged } = await insist(connection, () => connection.ask({ type: 'chunk', chunk }), options)
  return acknowledged as ChunkId
}
