import { isCid, type GroupId, type SessionName, type Sha256Hex } from '../protocol/ids.ts'
import { MAX_CHUNK_BYTES, TAG_BYTES } from '../protocol/messages.ts'
import { ByteReader } from './byte-reader.ts'
import {
  END_HOWS,
  MAX_GROUPS,
  NO_HASH,
  type ChunkEntry,
  type EndEntry,
  type Entry,
  type GroupAccess,
  type NoteEntry,
  type SessionEntry,
} from './entry.ts'
import { UNKNOWN_INDEXES } from './limits.ts'

/**
 * The entry that untrusted bytes are, every field checked for its range. `serialiseEntry` makes these bytes of it.
 *
 * Whether keys, hashes and addresses are true is for the caller to check.
 *
 * @throws `bad-input` that names the first field that is wrong
 */
export function parseEntry(bytes: Uint8Array): Entry {
  const reader = new ByteReader('Entry', bytes)
  const parse = PARSERS[reader.uint('kind', 1)] ?? reader.refuse('kind', '0, 1, 2 or 3')
  const entry = parse(reader)
  reader.end()
  return entry
}

/** By the code of the kind. */
const PARSERS: readonly ((reader: ByteReader) => Entry)[] = [sessionOf, chunkOf, endOf, noteOf]

// The fields of each literal are read in the order in which they stand.

function sessionOf(reader: ByteReader): SessionEntry {
  return {
    kind: 'session',
    startedAtMs: reader.uint('startedAtMs', 8),
    publicKey: reader.hex('publicKey', 64),
    sealingKey: reader.hex('sealingKey', 32),
    continues: nameOf(reader.hex('continues', 32)),
    mimeType: reader.text('mimeType', reader.uint('mimeType length', 2, 1, 255)),
    groups: groupsOf(reader),
    metadata: reader.hex('metadata', reader.uint('metadata length', 2)) || null,
  }
}

const nameOf = (hex: string) => (hex === NO_HASH ? null : (hex as SessionName))

function groupsOf(reader: ByteReader): GroupAccess[] {
  const groups: GroupAccess[] = []
  for (let left = reader.uint('groups', 1, 1, MAX_GROUPS); left > 0; left--) {
    const field = `groups[${groups.length}]`
    const id = `0x${reader.hex(`${field}.id`, 32)}` as GroupId
    const previous = groups.at(-1)?.id ?? ''
    if (id <= previous) reader.refuse(`${field}.id`, `greater than the one before, ${previous}`)
    const tag = reader.hex(`${field}.tag`, 32) as Sha256Hex
    groups.push({ id, tag, sealedKey: reader.hex(`${field}.sealedKey`, 80) })
  }
  return groups
}

function chunkOf(reader: ByteReader): ChunkEntry {
  return {
    kind: 'chunk',
    index: reader.uint('index', 4),
    capturedAtMs: reader.uint('capturedAtMs', 8),
    durationMs: reader.uint('durationMs', 4),
    sizeBytes: reader.uint('sizeBytes', 4, TAG_BYTES, MAX_CHUNK_BYTES + TAG_BYTES),
    plaintextHash: reader.hex('plaintextHash', 32) as Sha256Hex,
    encryptedHash: reader.hex('encryptedHash', 32) as Sha256Hex,
    iv: reader.hex('iv', 12),
    chunkKey: reader.hex('chunkKey', 80),
    cid: cidOf(reader),
  }
}

function cidOf(reader: ByteReader) {
  const cid = reader.text('cid', reader.uint('cid length', 1))
  return isCid(cid) ? cid : reader.refuse('cid', 'a CIDv1 in base32')
}

function endOf(reader: ByteReader): EndEntry {
  return {
    kind: 'end',
    how: END_HOWS[reader.uint('how', 1, 1, END_HOWS.length) - 1]!,
    endedAtMs: reader.uint('endedAtMs', 8),
    indexes: indexesOf(reader.uint('indexes', 4)),
  }
}

const indexesOf = (count: number) => (count === UNKNOWN_INDEXES ? null : count)

function noteOf(reader: ByteReader): NoteEntry {
  return {
    kind: 'note',
    atMs: reader.uint('atMs', 8),
    sealed: reader.hex('sealed', reader.uint('sealed length', 2)),
  }
}
