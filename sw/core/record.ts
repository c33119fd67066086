import type { WireError } from '../../src/protocol/errors.ts'
import type { ChunkId, Cid, SessionId, Sha256Hex } from '../../src/protocol/ids.ts'
import type { WrappedKey } from '../../src/protocol/messages.ts'
import type { AnchorView, ChunkStatus, SessionEnding } from '../../src/protocol/snapshot.ts'

/** What sealing adds to a chunk. */
export interface Seal {
  readonly encryptedHash: Sha256Hex
  /** Base64 of 12 bytes. */
  readonly iv: string
  readonly cid: Cid
}

/** Waiting for its turn, or for a person; what for is the record's `lastError`. */
export type Wait = { readonly kind: 'due'; readonly notBeforeMs: number } | { readonly kind: 'parked' }

/** Where a chunk is on its way, with the fields that only this place has. */
export type ChunkState =
  | { readonly status: 'captured'; readonly wait: Wait }
  | { readonly status: 'hashing' }
  | { readonly status: 'encrypting' }
  /**
   * `sent`: a request with these bytes has left before, so its outcome must be asked for first.
   * `resumeToken`: what the transport remembered of the upload, such as the URL that the store gave it.
   */
  | {
      readonly status: 'uploading'
      readonly wait: Wait
      readonly sent: boolean
      readonly resumeToken?: string
      readonly seal: Seal
    }
  | {
      readonly status: 'uploaded' | 'manifesting' | 'anchoring'
      readonly seal: Seal
      readonly uploadedAtMs: number
    }
  | {
      readonly status: 'confirmed'
      readonly seal: Seal
      readonly uploadedAtMs: number
      readonly confirmedAtMs: number
    }

/**
 * The order in which waiting chunks are taken: not before its time, oldest session first, then by index.
 * An IndexedDB key: [notBeforeMs, session's startedAtMs, index].
 */
export type DueKey = [number, number, number]

/** A chunk as it is stored: everything but its bytes, under 1 kB. */
export interface ChunkRecord {
  readonly id: ChunkId
  readonly sessionId: SessionId
  readonly index: number
  readonly plaintextHash: Sha256Hex
  /** Ms since the epoch, under the manifest's name, which is also how older versions stored it. */
  readonly capturedAt: number
  readonly durationMs: number
  /** Of the stored payload: raw bytes before sealing, ciphertext after. */
  readonly sizeBytes: number
  readonly state: ChunkState
  /** Failed attempts, ever. Waiting for a network is none. */
  readonly retryCount: number
  /** Failed attempts since the last progress. */
  readonly failures: number
  /** Present while it is tried again by itself after it was refused. */
  readonly onTrial?: true
  /** Cut short, so that the record keeps its size. */
  readonly lastError?: WireError
  /** Present exactly while the chunk waits for a lane and its session is not paused. */
  readonly due?: DueKey
}

/** A manifest's address, and the signer that it names. */
export interface ManifestName {
  readonly uploader: string
  readonly cid: Cid
  readonly sha256: Sha256Hex
  readonly sizeBytes: number
}

/** The one publication of a session that is in flight. */
export interface Publication {
  readonly stage: 'manifesting' | 'anchoring'
  readonly ending: SessionEnding
  readonly lastUpdatedMs: number
  readonly merkleRoot: Sha256Hex
  readonly chunkCount: number
  /** Fixed before the first request leaves, so that every repetition publishes the same object. */
  readonly manifest?: ManifestName
  /** The request of this stage has left before: ask the store, or the chain, before it leaves again. */
  readonly sent: boolean
  /** What the transport remembered of the manifest's upload. */
  readonly resumeToken?: string
  /** When the anchor was last handed to the relay, ms since the epoch. */
  readonly submittedAtMs?: number
  /** The newest block when the chain was last looked at in vain, and since when it is that one, ms since the epoch. */
  readonly newest?: { readonly blockNumber: number; readonly sinceMs: number }
  /** How often the relay took it since the chain last showed it; absent: never. */
  readonly taken?: number
  readonly failures: number
  readonly wait: Wait
  readonly lastError?: WireError
}

/** The last publication that the chain holds at the wanted depth. */
export interface Anchored extends AnchorView {
  readonly ending: SessionEnding
}

/** A failure that a person may be told of, and when the engine tries again by itself (ms since the epoch). */
export interface Trouble {
  readonly error: WireError
  /** Since when this kind of failure has held the session up, ms since the epoch. */
  readonly sinceMs: number
  readonly retryAtMs?: number
}

/** `sign-in`, which the app may mend at any time; `refusal`, where each try may cost the bytes of a chunk. */
export type TrialKind = 'sign-in' | 'refusal'

export type Trials = { readonly [Kind in TrialKind]?: Trial }

/** When what is parked is tried again by itself. */
export interface Trial {
  /** Refusals, each trial one, since an upload of the session went through; 0: everything is tried. */
  readonly failures: number
  /** When one chunk of each cause, or everything, is tried, ms since the epoch. */
  readonly retryAtMs: number
  /** When this was decided, ms since the epoch. */
  readonly setAtMs: number
}

/** Which of the worker's stores an object goes to. */
export interface StoreChoice {
  /** Names, each once, in the order in which they are tried. */
  readonly stores: readonly string[]
  /** So many of them must have a proved copy before it counts as stored: 1 to their number. */
  readonly atLeast: number
}

/** A recording as it is stored. */
export interface SessionRecord {
  readonly id: SessionId
  readonly mimeType: string
  readonly startedAtMs: number
  readonly access: readonly WrappedKey[]
  readonly sealedBy: 'page' | 'worker'
  /** Names that it chose at its start; absent: whatever stores the worker has. */
  readonly stores?: readonly string[] | undefined
  /** Copies that it wants; absent: one in each of its stores. */
  readonly atLeast?: number | undefined
  readonly ending: SessionEnding
  readonly endedAtMs?: number
  /** The session that this one goes on with, which the worker had lost. */
  readonly continues?: SessionId | undefined
  /** How many chunks its page had cut when it told the end. */
  readonly indexes?: number
  readonly paused: boolean
  /** Chunks by status; always in step with the chunk records, since both change in one transaction. */
  readonly tally: Readonly<Record<ChunkStatus, number>>
  readonly parked: number
  readonly localBytes: number
  /** Of all chunks, as they are stored here. */
  readonly totalBytes: number
  /** Of chunks that their store was proved to have. */
  readonly storedBytes: number
  readonly publication?: Publication
  readonly anchored?: Anchored
  /** Why the session does not go on at the moment; gone with the next progress. */
  readonly trouble?: Trouble
  /** By what was refused: present while something of it is parked for that, and is tried again by itself. */
  readonly trials?: Trials
  /** When the first of the verified chunks that no publication covers was verified; the next waits from then. */
  readonly unpublishedSinceMs?: number
  /** Present exactly while something is left to do: `startedAtMs`, so that an index lists oldest first. */
  readonly open?: number
}

/** One line of the bounded custody log. */
export interface LogEntry {
  readonly atMs: number
  readonly sessionId: SessionId
  readonly index?: number
  readonly event: string
  readonly from?: ChunkStatus | SessionEnding
  readonly to?: ChunkStatus | SessionEnding
  readonly error?: WireError
}
