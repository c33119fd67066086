import { serialiseChunk, serialiseEnd, serialiseSession, type EndHow } from '../../src/evidence/entry.ts'
import type { ChunkRecord, Seal, SessionRecord } from './record.ts'

/** What a session's log says of its start, of its end, or of a chunk that is sealed. */
export function entryOf(session: SessionRecord, of: ChunkRecord | 'start' | EndHow): Uint8Array<ArrayBuffer> {
  if (of === 'start') return serialiseSession({ ...session, groups: session.access })
  if (typeof of === 'string') return serialiseEnd({ ...session, how: of })
  return serialiseChunk({ ...of, ...(of.state.seal as Seal) })
}
