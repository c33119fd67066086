import { chunkAfter, type ChunkEvent } from './chunk-machine.ts'
import type { Draft } from './draft.ts'
import type { ChunkRecord } from './record.ts'
import { errorOf } from './trouble.ts'

/**
 * Applies an event to one of the session's chunks: its record, its bytes, its places in the log and in the custody log.
 *
 * @returns the chunk as it is then; undefined where the event changes nothing
 */
export function changeChunk(draft: Draft, chunk: ChunkRecord, event: ChunkEvent): ChunkRecord | undefined {
  const next = chunkAfter(chunk, event, draft.now)
  if (!next) return undefined
  const after = event.type === 'sealed' ? inLog(draft, next) : next
  draft.put(after, chunk)
  if (event.type === 'sealed') draft.effect(['putPayload', chunk.id, event.bytes])
  if (event.type === 'anchor-confirmed') draft.effect(['deletePayload', chunk.id])
  draft.log(event.type, {
    error: errorOf(event),
    index: chunk.index,
    from: chunk.state.status,
    to: after.state.status,
  })
  return after
}

/** The chunk with its place in the log, where it is sealed. */
export function inLog(draft: Draft, chunk: ChunkRecord): ChunkRecord {
  if (!chunk.state.seal) return chunk
  const placed = { ...chunk, position: draft.session.size }
  draft.append(placed)
  return placed
}
