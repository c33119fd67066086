import type { EndHow } from '../../src/evidence/entry.ts'
import type { WireError } from '../../src/protocol/errors.ts'
import type { ChunkId, Cid, SessionId, SessionName, Sha256Hex } from '../../src/protocol/ids.ts'
import type { Labels } from '../../src/protocol/labels.ts'
import type { HandedNote, Member, Seal } from '../../src/protocol/messages.ts'
import type { AnchorView, ChunkStatus, SessionEnding, LogLine } from '../../src/protocol/snapshot.ts'

/** What is tried until it succeeds: a chunk's sealing or upload, the page in flight, the newest head, telling the app. */
export interface Effort {
  /** Failed attempts since the last progress. */
  readonly failures: number
  /** When it is tried next, ms since the epoch (0: now); Infinity: parked, for a trial or a person. */
  readonly notBeforeMs: number
  /** Of a chunk: cut short, so that the record keeps its size. */
  readonly lastError?: WireError | undefined
  /** A request with these bytes has left before, so its outcome must be asked for first. */
  readonly sent?: boolean | undefined
  /** What the transport remembered of the upload, such as the URL that the store gave it. */
  readonly resumeToken?: string | undefined
  /** Present while it is tried again by itself after it was refused. */
  readonly onTrial?: boolean | undefined
}

/** What sealing adds to a chunk, and the address of its ciphertext, which this side computes. */
export interface AddressedSeal extends Seal {
  readonly cid: Cid
}

/** What is known of a chunk at some place on its way. */
interface StateFields {
  readonly seal: AddressedSeal
  readonly uploadedAtMs: number
  readonly confirmedAtMs: number
}

/** These fields, and none of the others. */
type StateAt<Status extends ChunkStatus, Name extends keyof StateFields = never> = {
  readonly status: Status
} & Pick<StateFields, Name> & { readonly [Other in Exclude<keyof StateFields, Name>]?: undefined }

/**
 * Where a chunk is on its way, with the fields that only this place has. Of one that its store was proved to have its
 * session's log tells the rest: `statusOf`.
 */
export type ChunkState =
  | StateAt<'captured' | 'hashing' | 'encrypting'>
  | StateAt<'uploading', 'seal'>
  | StateAt<'uploaded', 'seal' | 'uploadedAtMs'>
  | StateAt<'confirmed', 'seal' | 'uploadedAtMs' | 'confirmedAtMs'>

/**
 * The order in which waiting chunks are taken: not before its time, oldest session first, then by index. An IndexedDB
 * key: [notBeforeMs, session's startedAtMs, index], and a -1 before it where the chunk is raw, so that what is to be
 * sealed is one range and what is to be sent another. Of sessions of one millisecond each has a fraction of its own.
 *
 * Older versions wrote no fraction, [-1, session's startedAtMs, index] for a raw chunk, which is due, and the place of an upload for
 * one whose sealing had failed: that one is sealed when an upload would have its turn.
 */
export type DueKey = readonly [number, number, number] | readonly [number, number, number, number]

/** A chunk as it is stored: everything but its bytes, under 1 kB. */
export interface ChunkRecord {
  readonly id: ChunkId
  readonly sessionId: SessionId
  readonly index: number
  readonly plaintextHash: Sha256Hex
  readonly capturedAtMs: number
  readonly durationMs: number
  /** Of the stored payload: raw bytes before sealing, ciphertext after. */
  readonly sizeBytes: number
  readonly state: ChunkState
  /** How its sealing stands, then its upload; absent once it is proved to be stored. */
  readonly effort?: Effort | undefined
  /** Failed attempts, ever. Waiting for a network is none. */
  readonly retryCount: number
  /** Present exactly while the chunk waits for a lane and its session is not paused. */
  readonly due?: DueKey | undefined
  /** The place of its entry in the session's log, from 0; absent until it is sealed. */
  readonly position?: number | undefined
  /** `[session, position]`; present exactly while it is proved to be stored, and not confirmed. */
  readonly proved?: readonly [SessionId, number] | undefined
}

/** The Merkle tree over the first `size` entries of a log (`src/evidence/tree.ts`). */
export interface Tree {
  readonly size: number
  /** Roots of its complete subtrees, largest first. */
  readonly frontier: readonly Sha256Hex[]
}

/** The pages of a log so far: how many, and the digests that later ones link to (`src/evidence/page.ts`). */
export interface PageChain {
  readonly number: number
  readonly digests: readonly Sha256Hex[]
}

/** What a page says beside its entries (`src/evidence/page.ts`): with them it is made again, byte for byte. */
export interface PageFrame {
  readonly number: number
  /** Where it begins: the log before it. */
  readonly from: number
  readonly frontier: readonly Sha256Hex[]
  readonly links: readonly Sha256Hex[]
}

/**
 * The page of a session's log that is on its way to the store: the next one, fixed before its first request leaves, or
 * an older one that the store is asked for again. Whoever finds one here asks the store before it sends.
 */
export interface Listing extends Effort {
  readonly frame: PageFrame
  /** The log up to the end of this page. */
  readonly tree: Tree
  /** SHA-256 of the page, which is its address too. */
  readonly page: Sha256Hex
  readonly sizeBytes: number
}

/** The log as far as its pages are proved to be stored, and the pages by which all of it is found. */
export interface Listed {
  readonly tree: Tree
  readonly pages: PageChain
  /** The same up to the last full page; absent where that is the last one, or there is none. */
  readonly full?: Listed | undefined
}

/** How far the newest head is on its way to the chain, or, where there is none, to the store. */
export interface Witnessing extends Effort {
  /** The size of the head that was handed over last; 0: none. */
  readonly submitted: number
  /** When that was, ms since the epoch. */
  readonly submittedAtMs: number
  /** How often the relay took a head since the chain last showed the one that was handed over last. */
  readonly taken: number
  /** One was handed over since, and that failed as little as anybody has written down: it counts as taken. */
  readonly handing?: boolean | undefined
  /** The newest block when the chain was last looked at in vain, and since when it is that one, ms since the epoch. */
  readonly newest?: { readonly blockNumber: number; readonly sinceMs: number } | undefined
}

/** The app's `onSettled`, which is called until it has resolved. */
export interface Completion extends Effort {
  /** The size of the log of which it was last told; absent: of none. */
  readonly told?: number | undefined
}

/** A head of a session that its key has signed: all that is said of the log at this size. */
export interface HeadRecord {
  readonly sessionId: SessionId
  readonly size: number
  readonly root: Sha256Hex
  readonly page: Sha256Hex
  /** Of the page before it. */
  readonly previous: Sha256Hex | null
  readonly end: boolean
  /** r and s, 64 bytes, hex. */
  readonly signature: string
  readonly frame: PageFrame
  /** When the store was last proved to have its page, ms since the epoch. */
  readonly provedAtMs: number
  /** How the chain that was asked then held it, where it was the newest there: kept, whatever comes after. */
  readonly anchored?: Anchored | undefined
}

/** A page by its entries: positions from `from` to before `to`. */
export interface PageRange {
  readonly from: number
  readonly to: number
}

/** The newest head that the chain holds at the wanted depth; where there is none, the store. */
export type Anchored = AnchorView

/** A failure that a person may be told of, since when it lasts, and when the engine tries again by itself (ms since the epoch). */
export interface Trouble {
  readonly error: WireError
  readonly sinceMs: number
  readonly retryAtMs?: number | undefined
}

/** `sign-in`, which the app may mend at any time; `refusal`, where each try may cost the bytes of a chunk. */
export type TrialKind = 'sign-in' | 'refusal'

/**
 * What may leave the device now: nothing by the policy, so that raw chunks alone are tried; on a metered link no chunk that
 * was refused, to see.
 */
export type MayLeave = 'all' | 'small' | 'nothing'

export type Trials = { readonly [Kind in TrialKind]?: Trial | undefined }

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
  /** When a person last asked for them to be tried, ms since the epoch; absent: never. */
  readonly resumedAtMs?: number | undefined
}

/** A recording as it is stored. */
export interface SessionRecord {
  readonly id: SessionId
  readonly name: SessionName
  /** Of the session's own key, which signs its heads: x and y, 64 bytes, hex. */
  readonly publicKey: string
  /** X25519 key to which chunk keys are sealed: 32 bytes, hex. */
  readonly sealingKey: string
  readonly mimeType: string
  readonly startedAtMs: number
  /** By group id. */
  readonly access: readonly Member[]
  readonly sealedBy: 'page' | 'worker'
  /** Names that it chose at its start; absent: whatever stores the worker has. */
  readonly stores?: readonly string[] | undefined
  /** Copies that it wants; absent: one in each of its stores. */
  readonly atLeast?: number | undefined
  /** What its stores are told of it, in clear. */
  readonly labels?: Labels | undefined
  /** Sealed, in hex; only until the first entry of its log has it, in the same transaction. */
  readonly metadata?: string | undefined
  /** By which its page's successor knows again what is recorded. */
  readonly fingerprint?: Sha256Hex | undefined
  readonly ending: SessionEnding
  readonly endedAtMs?: number | undefined
  /** The session that this one goes on with, which the worker had lost. */
  readonly continues?: SessionName | undefined
  /** How many chunks its page had cut when it told the end. */
  readonly indexes?: number | undefined
  /** Chunks that were acknowledged and of which no record is there any more. */
  readonly lost?: number | undefined
  /** Whom it is bound to (`identity.ts`); absent in a record of an older version. */
  readonly identity?: string | undefined
  /** When a person last resumed it, ms since the epoch. */
  readonly resumedAtMs?: number | undefined
  /**
   * The latest time of day at which it changed, ms since the epoch; absent in a record of an older version. Where it is yet
   * to come the clock was set back since, and no time that it waits for is to be believed.
   */
  readonly changedAtMs?: number | undefined
  /** By a person, or because it is damaged; or because the worker that looked last goes elsewhere. */
  readonly paused: boolean | 'elsewhere'
  /**
   * Its stored record lacked what nothing else here can tell, or was lost as a whole: it is set apart, and told. It has no
   * name, no keys, no type of content, and nobody who seals.
   */
  readonly damaged?: true | undefined
  /** Chunks by `statusOf`; always in step with the chunk records, since both change in one transaction. */
  readonly tally: Readonly<Record<ChunkStatus, number>>
  readonly parked: number
  /** Of the parked ones, those that are to be sealed here. */
  readonly parkedRaw: number
  readonly localBytes: number
  /** Of all chunks, as they are stored here. */
  readonly totalBytes: number
  /** Of chunks that their store was proved to have. */
  readonly storedBytes: number
  /** Length of all chunks, ms. */
  readonly totalMs: number
  /** Length of chunks that their store was proved to have, ms. */
  readonly storedMs: number
  /** Entries in its log. */
  readonly size: number
  /** Notes that its page has handed over. */
  readonly notes: number
  /** What the last entry says, where that is an end. */
  readonly logEnd?: Exclude<SessionEnding, 'recording'> | undefined
  readonly listed: Listed
  readonly listing?: Listing | undefined
  /** Pages that the store is asked for again before anything is deleted on them, in this order; absent where there are none. */
  readonly expired?: readonly PageRange[] | undefined
  readonly witnessing: Witnessing
  readonly anchored?: Anchored | undefined
  /** Present where the worker that wrote its end down had somebody to tell. */
  readonly completion?: Completion | undefined
  /** Why the session does not go on at the moment; gone with the next progress. */
  readonly trouble?: Trouble | undefined
  /** By what was refused: set while something is parked for that, and is tried again by itself. */
  readonly trials?: Trials | undefined
  /** Uploads of chunks that were refused since one went through. */
  readonly refused?: number | undefined
  /** The chunks that it has not been refused for yet wait with the others, for a trial: they have no place in the queue. */
  readonly heldBack?: boolean | undefined
  /** How making the next page stands, where that has failed. */
  readonly paging?: Effort | undefined
  /** Present exactly while something is left to do: `startedAtMs`, so that an index lists oldest first. */
  readonly open?: number | undefined
}

/** What a log has an entry of: its start, a chunk that is sealed, a note, its end. */
export type Logged = ChunkRecord | HandedNote | 'start' | EndHow

/** One line of the bounded custody log. */
export type LogEntry = LogLine
