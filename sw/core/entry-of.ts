import { serialiseChunk, serialiseEnd, serialiseSession, type EndHow } from '../../src/evidence/entry.ts'
import type { ChunkRecord, Seal, SessionRecord } from './record.ts'

/** What a session's log says of its start, of its end, or of a chunk that is sealed. */
export function entryOf(session: SessionRecord, of: ChunkRecord | 'start' | 'end'): Uint8Array<ArrayBuffer> {
  const { ending, endedAtMs = 0, indexes = null, continues = null, access: groups } = session
  if (of === 'start') return serialiseSession({ ...session, continues, groups, metadata: null })
  if (of === 'end') return serialiseEnd({ how: ending as EndHow, endedAtMs, indexes })
  return serialiseChunk({ ...of, ...(of.state.seal as Seal) })
}
