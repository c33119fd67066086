import type { Connection } from './connection.ts'
import { insist } from './insist.ts'
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
  signal?: AbortSignal,
): Promise<ChunkId> {
  const { acknowledged } = await insist(connection, () => connection.ask({ type: 'chunk', chunk }), signal)
  return acknowledged as ChunkId
}
