import type { HoldfastError } from '../../src/protocol/errors.ts'
import type { Cid, SessionName, Sha256Hex } from '../../src/protocol/ids.ts'
import type { Labels } from '../../src/protocol/labels.ts'
import type { StoreChoice } from '../core/record.ts'
import type { Keeping } from '../health/stored-circuits.ts'

/** An object on its way to a remote store, named by its content. */
export interface Upload {
  /** Its content address; also its name at stores that let us choose one. */
  readonly cid: Cid
  readonly sha256: Sha256Hex
  readonly sizeBytes: number
  /**
   * Present where this is the signed head of a session, the way to all the rest of it, and no chain leads there: a store
   * that lets us choose a name had better have it under these.
   */
  readonly head?: HeadHint
  /** The session's choice of stores, for a transport that is made of several; absent: all of them. */
  readonly to?: StoreChoice
  /** What the app tells the store of the session, in clear. */
  readonly labels?: Labels | undefined
}

/** Which head an object is. A session has one of each size. */
export interface HeadHint {
  readonly session: SessionName
  /** Entries in the log. */
  readonly size: number
}

/**
 * What a store has of an upload. `proved`: the store's word was checked against the content address or digest that
 * we computed; where it is false, `verify` must be asked before the copy counts.
 */
export type RemoteState =
  | { readonly kind: 'all'; readonly proved: boolean }
  | { readonly kind: 'part'; readonly offsetBytes: number; readonly proved?: undefined }
  | { readonly kind: 'nothing'; readonly proved?: undefined }

/** What is known, beyond a worker's life, of the stores that a transport is made of. */
export interface Floors {
  /** Before this time the store of this name asked not to be asked (`Retry-After`), ms since the epoch. */
  floorMs(store: string): Promise<number>
  /** Keeps what this failure of the store asks for. */
  keep(store: string, error: HoldfastError): Promise<unknown>
}

/** One attempt at one upload. */
export interface Attempt {
  /** Ends the attempt; the transport then rejects with `aborted`. */
  readonly signal: AbortSignal
  /**
   * What was last remembered of this upload, by this attempt or an earlier one, such as the URL that the store gave
   * it; empty or absent: nothing.
   */
  readonly resumeToken?: string | undefined
  /** Keeps a resume token for later attempts; resolves once it is durable. Awaited before any byte leaves. Holds no secret. */
  saveResumeToken(resumeToken: string): Promise<unknown>
  /**
   * Tells how many bytes the store is known to have; also before the first of them leaves, or no copy is counted that the
   * store refuses.
   */
  progress(offsetBytes: number): void
  /** For a transport that is made of several stores; absent: nothing is kept. */
  readonly floors?: Floors | undefined
}

/**
 * Moves bytes to a remote store, and proves that they are there. A transport keeps no state of its own: each call
 * may come from another worker than the last one.
 *
 * All methods reject with a HoldfastError: `unreachable`, `timeout`, `server-error`, `throttled` (with `retryAfterMs`),
 * `sign-in-needed`, `address-mismatch`, `bad-answer`, `rejected-by-store`, `aborted`, and `bad-input` where no request can
 * be made of what the app gives; one that is made of several stores also with `copies-missing`. What says that this device has failed (`storage-…`, `payload-…`), or that a session belongs
 * elsewhere, counts as `server-error`.
 */
export interface Transport {
  /** Names the store in records and in the app's choice of stores; letters, digits and dashes. */
  readonly name: string
  /** The stores that it is made of, by name, for `startSession({ stores })`; absent: itself alone. */
  readonly stores?: readonly string[]
  /** For one that is made of several: what is kept of them beyond a worker's life. */
  readonly floors?: (kept: Keeping) => Floors
  /** What the store has already. Asked before anything is sent a second time. */
  probe(upload: Upload, attempt: Attempt): Promise<RemoteState>
  /**
   * Sends what is missing and resolves to whether the store's answer proved it.
   *
   * @param bytes all bytes of the object, whatever is held
   */
  send(
    upload: Upload,
    bytes: Uint8Array<ArrayBuffer>,
    held: RemoteState,
    attempt: Attempt,
  ): Promise<'proved' | 'sent'>
  /**
   * Sends an object of which the store has nothing, in a Blob that nobody has read here: only where the store's own proof
   * is of all of it against the upload's digest, so that bytes that have changed on this device are found out. When this
   * fails, or the copy is not proved, the bytes are looked at here.
   *
   * @returns undefined where it needs to be given the bytes, and has sent none
   */
  sendUnread?(upload: Upload, blob: Blob, attempt: Attempt): Promise<'proved' | 'sent' | undefined>
  /**
   * Proves a copy whose bytes are all there; rejects with `address-mismatch` where they are not ours. Absent where what
   * `probe` and `send` find is proved.
   */
  verify?(upload: Upload, attempt: Attempt): Promise<void>
}
