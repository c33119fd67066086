import type { WireError } from './errors.ts'
import type { ChunkId, Cid, GroupId, SessionId, SessionName, Sha256Hex } from './ids.ts'
import type { Labels } from './labels.ts'

/** Where a chunk is on its way; `docs/architecture.md` says what each means after a death. */
export const CHUNK_STATUSES = [
  'captured',
  'hashing',
  'encrypting',
  'uploading',
  'uploaded',
  'manifesting',
  'anchoring',
  'confirmed',
] as const
export type ChunkStatus = (typeof CHUNK_STATUSES)[number]

/**
 * How a recording ended; `recording` while it has not. `interrupted`: its recorder was found
 * dead, or chunks of it are `missing`. It tells nothing of the upload.
 */
export type SessionEnding = 'recording' | 'complete' | 'interrupted'

/**
 * How far a recording is, however it ended:
 * - `uploading`: chunks are not proved to be in their store
 * - `publishing`: they are; the chain does not have the whole log yet
 * - `confirmed`: it does, and nothing is left to do. Never before the recording has ended; of an empty one, from then on
 */
export type SessionUpload = 'uploading' | 'publishing' | 'confirmed'

/**
 * When bytes may leave the device, for all sessions: `always`; `unmetered`, which waits while the browser tells that
 * data costs money or is to be saved; `paused`, never.
 */
export const POLICIES = ['always', 'unmetered', 'paused'] as const
export type Policy = (typeof POLICIES)[number]

export interface PolicyView {
  readonly policy: Policy
  /** Whether the browser tells that data costs money or is to be saved; false where it tells nothing. */
  readonly metered: boolean
}

/**
 * The newest head of a session that the chain holds, at the wanted depth; where the worker has no anchor, that its store
 * was proved to have: then there is an `address`, no block, and nobody outside has witnessed it.
 */
export interface AnchorView {
  /** Entries of the session's log that it covers. */
  readonly size: number
  /** Of the tree over them. */
  readonly root: Sha256Hex
  /** The page that ends there: SHA-256, which is its address. */
  readonly page: Sha256Hex
  /** Of the signed head, as an object at the store: what a reader asks for, and a link says. */
  readonly address?: Cid | undefined
  /** The block that brought it. */
  readonly blockNumber?: number | undefined
  /** That block's time, ms since the epoch: the recording existed before. */
  readonly blockAtMs?: number | undefined
  /** Where the node still told. */
  readonly blockHash?: string | undefined
  readonly transactionHash?: string | undefined
  /** Of several nodes those on whose word it was not confirmed, as they lag, lie or are away; the others agreed. */
  readonly setAside?: readonly SetAside[] | undefined
  readonly confirmedAtMs: number
  /** When the chain was last looked at after that, and still held it: ms since the epoch. */
  readonly seenAtMs?: number | undefined
}

/** A node of several that does not say what the others say, or not soon, and why. */
export interface SetAside extends WireError {
  /** Without path and query, which may hold a key. */
  readonly origin: string
}

/** How far a session's uploads are. `fetch` tells of whole requests only: parts with tus, chunks elsewhere. */
export interface UploadProgress {
  /** All acknowledged chunks, as they are stored here. */
  readonly totalBytes: number
  /** What the store is known to have, parts of chunks too. */
  readonly storedBytes: number
  /** Length of all acknowledged chunks, ms: of the recording, however late its end was noticed. */
  readonly totalMs: number
  /** Length of those that a store was proved to have, ms. */
  readonly storedMs: number
  /** Lately, of all sessions together; 0 while it is not known, or nothing moved for a minute. */
  readonly bytesPerSecond: number
  /** What this session still has to send, at that rate; absent while it is not known. */
  readonly timeLeftMs?: number | undefined
}

/** One recording as a page sees it. */
export interface SessionSnapshot {
  readonly id: SessionId
  /** What a reader asks for: it belongs into links. */
  readonly name: SessionName
  readonly ending: SessionEnding
  readonly upload: SessionUpload
  readonly groupIds: readonly GroupId[]
  readonly mimeType: string
  /** X25519 key to which its chunks are sealed: 32 bytes, hex. It opens nothing. */
  readonly sealingKey: string
  /** What the app tells its store, in clear. */
  readonly labels?: Labels | undefined
  /** By which the app knows again what is recorded; it stays on the device. */
  readonly fingerprint?: Sha256Hex | undefined
  readonly startedAtMs: number
  readonly endedAtMs?: number | undefined
  /** The session whose recording this one goes on with: the worker had lost it, with what was still local. */
  readonly continues?: SessionName | undefined
  /**
   * Chunks that the page cut and the worker never got, known when the page has told the end; or that were lost here since
   * they were acknowledged, known within two minutes. Never of a `complete` one.
   */
  readonly missing: number
  readonly paused: boolean
  /** Acknowledged chunks, by status. */
  readonly chunks: Readonly<Record<ChunkStatus, number>>
  /** Chunks that were set aside after refusals: tried again slowly by themselves, and at once by `resume`. */
  readonly parked: number
  /** Ciphertext that is still on this device, in bytes. */
  readonly localBytes: number
  readonly progress: UploadProgress
  readonly anchor?: AnchorView | undefined
  /** The latest failure for which this session still waits, or is parked. */
  readonly lastError?: WireError | undefined
  /** Since when that has been so, without a success in between (ms since the epoch). */
  readonly failingSinceMs?: number | undefined
  /** When work on this session is tried next (ms since the epoch), where it waits for a time. */
  readonly retryAtMs?: number | undefined
}

/** One chunk as a page sees it; its bytes stay with the worker. */
export interface ChunkView {
  readonly id: ChunkId
  readonly sessionId: SessionId
  readonly index: number
  readonly status: ChunkStatus
  readonly parked: boolean
  readonly sizeBytes: number
  /** How much of it the store is known to have. */
  readonly storedBytes: number
  readonly durationMs: number
  readonly plaintextHash?: Sha256Hex | undefined
  readonly encryptedHash?: Sha256Hex | undefined
  readonly iv?: string | undefined
  readonly chunkKey?: string | undefined
  readonly cid?: Cid | undefined
  readonly capturedAtMs: number
  readonly uploadedAtMs?: number | undefined
  readonly confirmedAtMs?: number | undefined
  readonly retryCount: number
  readonly lastError?: WireError | undefined
}

/** What happened to a session on this device: one line of its custody log. */
export interface LogLine {
  readonly atMs: number
  readonly sessionId: SessionId
  /** The chunk's; absent where it is about the session. */
  readonly index?: number | undefined
  /** In the words of docs/architecture.md; later versions may have others. */
  readonly event: string
  readonly from?: ChunkStatus | SessionEnding | undefined
  readonly to?: ChunkStatus | SessionEnding | undefined
  readonly error?: WireError | undefined
}

/** Everything the engine holds, as one value. */
export interface Snapshot {
  /** Newest first. */
  readonly sessions: readonly SessionSnapshot[]
}
