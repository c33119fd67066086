import { serialiseChunk, serialiseEnd, serialiseNote, serialiseSession } from '../../src/evidence/entry.ts'
import type { AddressedSeal, Logged, SessionRecord } from './record.ts'

/** What a session's log says of its start, of its end, of a note, or of a chunk that is sealed. */
export function entryOf(session: SessionRecord, of: Logged): Uint8Array<ArrayBuffer> {
  if (of === 'start') return serialiseSession({ ...session, groups: session.access })
  if (typeof of === 'string') return serialiseEnd({ ...session, how: of })
  if ('sealed' in of) return serialiseNote(of)
  return serialiseChunk({ ...of, ...(of.state.seal as AddressedSeal) })
}
