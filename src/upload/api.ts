import type { DiscardOptions, SessionOptions, WaitOptions } from '../api.ts'
import type { HoldfastError } from '../protocol/errors.ts'
import type { Cid, SessionId, SessionName, Sha256Hex } from '../protocol/ids.ts'
import type { AnchorView, SessionSnapshot } from '../protocol/snapshot.ts'

export interface UploadOptions
  extends WaitOptions, Pick<SessionOptions, 'groups' | 'metadata' | 'labels' | 'stores' | 'atLeast'> {
  /** Default: the file's own, or `application/octet-stream`. */
  readonly mimeType?: string | undefined
  /** Size of a part, which is sealed and handed over as one: 1 to 64 MiB less 16 bytes. Default 4 MiB less 16 bytes. */
  readonly partBytes?: number | undefined
  /** Told what `progress` tells. */
  readonly onProgress?: ((progress: FileProgress) => void) | undefined
}

/** How far a file is. */
export interface FileProgress {
  readonly totalBytes: number
  /** Bytes that are durable in the worker: these survive the page, and go up by themselves. */
  readonly handedBytes: number
  /** Bytes that the store is known to have. */
  readonly storedBytes: number
  /** All of it is confirmed, and nothing is left to do. */
  readonly settled: boolean
  readonly paused: boolean
  /** Why the worker does not take a part at the moment; it is handed over again by itself. */
  readonly stalledBy: HoldfastError | undefined
  /** Why the uploads do not go on at the moment (docs/errors.md). */
  readonly lastError: SessionSnapshot['lastError']
}

/** A file that is at its store, and where. */
export interface UploadedFile {
  readonly id: SessionId
  /** What a reader asks for: it belongs into links. */
  readonly name: SessionName
  readonly anchor: AnchorView | undefined
  /** In order: each part's ciphertext by its address, and the hash of what it holds. */
  readonly parts: readonly { readonly cid: Cid; readonly plaintextHash: Sha256Hex }[]
}

/** One file on its way. */
export interface FileUpload {
  /** Undefined until the worker knows it. */
  readonly sessionId: SessionId | undefined
  /** The state now, then again after each change, the latest where several came; it ends with the upload, and never throws. */
  readonly progress: AsyncIterable<FileProgress>
  /**
   * Resolves once all of the file is durable in the worker: from then on page and file may go.
   *
   * @throws HoldfastError as `done` does before that
   */
  readonly handedOver: Promise<void>
  /**
   * Resolves once all of it is confirmed.
   *
   * @throws HoldfastError `bad-input`, `payload-unreadable` (the file is gone, or has changed), `unknown-session` (it was
   *   discarded, or the site's data were cleared), `defect` (the device has lost a part that it had: the same call brings it
   *   again), `aborted` (cancelled, or this page's client closed), what `startSession` and `append` throw; the signal's
   *   reason
   */
  readonly done: Promise<UploadedFile>
  /** Hands nothing more over, and has the worker send nothing more. */
  pause(): Promise<void>
  resume(): Promise<void>
  /**
   * Forgets the upload on this device. While bytes would be lost that takes the word `{ confirm: 'discard-unconfirmed' }`;
   * without it nothing changes. While `sessionId` is undefined it keeps the upload from beginning, and forgets with the
   * word alone what an earlier page had handed over. Where another call for the same file, in any page, goes on with the
   * same session, this one ends, and that one goes on.
   *
   * @throws HoldfastError `not-confirmed`
   */
  cancel(options?: DiscardOptions): Promise<void>
}
