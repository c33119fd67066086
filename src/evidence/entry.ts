import type { Cid, GroupId, SessionName, Sha256Hex } from '../protocol/ids.ts'
import { concat, counted, fromHex, uint32be, uint64be, uint8, utf8 } from './bytes.ts'
import { UNKNOWN_INDEXES } from './limits.ts'

/** Who can read a session, and how it is found by them. */
export interface GroupAccess {
  readonly id: GroupId
  /** What only who knows the group's public key can make for this session. */
  readonly tag: Sha256Hex
  /** The session's private key, sealed to the group: hex of 80 bytes. */
  readonly sealedKey: string
}

/** How many groups a session has at most. */
export const MAX_GROUPS = 16

/** What a log begins with, and nothing else does. */
export interface SessionEntry {
  readonly kind: 'session'
  readonly startedAtMs: number
  /** P-256 key that signs the session's heads, `x ‖ y`: hex of 64 bytes. */
  readonly publicKey: string
  /** X25519 public key to which chunk keys are sealed: hex of 32 bytes. */
  readonly sealingKey: string
  /** The session that this one goes on with. */
  readonly continues: SessionName | null
  /** 1 to 255 bytes in UTF-8. */
  readonly mimeType: string
  /** 1 to 16, by ascending id, each once. */
  readonly groups: readonly GroupAccess[]
  /** Sealed metadata in hex. */
  readonly metadata: string | null
}

/** One chunk that the store has. */
export interface ChunkEntry {
  readonly kind: 'chunk'
  /** In [0, 2^32). */
  readonly index: number
  readonly capturedAtMs: number
  /** Whole ms. */
  readonly durationMs: number
  /** Of the ciphertext. */
  readonly sizeBytes: number
  readonly plaintextHash: Sha256Hex
  readonly encryptedHash: Sha256Hex
  /** Hex of 12 bytes. */
  readonly iv: string
  /** Sealed to the session's key: hex of 80 bytes. */
  readonly chunkKey: string
  readonly cid: Cid
}

/** In the order of their codes, from 1. */
export const END_HOWS = ['complete', 'interrupted', 'discarded'] as const
export type EndHow = (typeof END_HOWS)[number]

export interface EndEntry {
  readonly kind: 'end'
  readonly how: EndHow
  readonly endedAtMs: number
  /** How many chunks the recorder had cut, in [0, 2^32 - 1); `null` where it is not known. */
  readonly indexes: number | null
}

export interface NoteEntry {
  readonly kind: 'note'
  readonly atMs: number
  /** In hex. */
  readonly sealed: string
}

/** What a session's log is made of. All times are whole ms since the epoch, below 2^53. */
export type Entry = SessionEntry | ChunkEntry | EndEntry | NoteEntry

/** 32 zero bytes: what stands for a name or digest that is not there. */
export const NO_HASH = /* @__PURE__ */ '0'.repeat(64)

/** With these fields left out where they are not known. */
type Optional<T, Name extends keyof T> = Omit<T, Name> & { readonly [Each in Name]?: T[Each] | undefined }

// One function for each kind, so that a bundle has those which it uses. All throw `bad-input` for a number that its
// field does not hold.

export const serialiseSession = (
  entry: Optional<Omit<SessionEntry, 'kind'>, 'continues' | 'metadata'>,
): Uint8Array<ArrayBuffer> =>
  concat(
    uint8(0),
    uint64be(entry.startedAtMs),
    fromHex(entry.publicKey + entry.sealingKey + (entry.continues ?? NO_HASH)),
    counted(utf8(entry.mimeType)),
    uint8(entry.groups.length),
    ...entry.groups.map(({ id, tag, sealedKey }) => fromHex(id.slice(2) + tag + sealedKey)),
    counted(fromHex(entry.metadata ?? '')),
  )

export const serialiseChunk = (entry: Omit<ChunkEntry, 'kind'>): Uint8Array<ArrayBuffer> =>
  concat(
    uint8(1),
    uint32be(entry.index),
    uint64be(entry.capturedAtMs),
    uint32be(entry.durationMs),
    uint32be(entry.sizeBytes),
    fromHex(entry.plaintextHash + entry.encryptedHash + entry.iv + entry.chunkKey),
    uint8(entry.cid.length),
    utf8(entry.cid),
  )

export const serialiseEnd = (
  entry: Optional<Omit<EndEntry, 'kind'>, 'endedAtMs' | 'indexes'>,
): Uint8Array<ArrayBuffer> =>
  concat(
    uint8(2),
    uint8(END_HOWS.indexOf(entry.how) + 1),
    uint64be(entry.endedAtMs ?? 0),
    uint32be(entry.indexes ?? UNKNOWN_INDEXES),
  )

export const serialiseNote = (entry: Omit<NoteEntry, 'kind'>): Uint8Array<ArrayBuffer> =>
  concat(uint8(3), uint64be(entry.atMs), counted(fromHex(entry.sealed)))

/** The one form in bytes that an entry has. */
export function serialiseEntry(entry: Entry): Uint8Array<ArrayBuffer> {
  switch (entry.kind) {
    case 'session':
      return serialiseSession(entry)
    case 'chunk':
      return serialiseChunk(entry)
    case 'end':
      return serialiseEnd(entry)
    case 'note':
      return serialiseNote(entry)
  }
}
