import type { RecordingSession, WaitOptions } from '../api.ts'
import type { HoldfastError } from '../protocol/errors.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import type { SourceState } from './source.ts'

export interface RecordOptions {
  /**
   * Length of a slice, ms: the unit of loss. A page that dies loses the slice that is being made, and what the worker
   * had not taken yet. Default 1,000. For MP4, which is cut at key frames, key frames are made as often; a browser that
   * cannot do that cuts later.
   */
  readonly timesliceMs?: number | undefined
  /**
   * Longest chunk, ms: the unit of a request, and of what is proved. A slice is a chunk where the worker takes slices as
   * they come. Where it does not, those that wait in the page, and would be lost together anyway, are joined up to this
   * length. Default 5,000; 0 joins nothing.
   */
  readonly chunkMs?: number | undefined
  readonly videoBitsPerSecond?: number | undefined
  /**
   * Slices that the worker has not taken yet stay in the page; above this many bytes the recorder pauses, and goes on
   * below half of it. A gap in the picture, rather than a tab that the browser kills with all that it holds.
   * Default 256 MiB.
   */
  readonly maxWaitingBytes?: number | undefined
  /**
   * What to do when the camera or the microphone is lost: `go-on` (default) with what is left, or `end`. Where nothing
   * is left the recording ends. In each case it ends as `interrupted`.
   */
  readonly whenSourceLost?: 'go-on' | 'end' | undefined
  /** Whether what a stream gives is made up, such as a test picture: the recording says so, in a note. Default: none is. */
  readonly isTestPicture?: ((stream: MediaStream) => boolean) | undefined
  /** Keeps the screen on until the recording is over, where the browser can. Default true. */
  readonly keepAwake?: boolean | undefined
  /**
   * Asked for another stream where the page was frozen, and its camera or its microphone was taken away meanwhile; its
   * tracks are stopped when the recording is over. Without, and where it rejects, the recording goes on with what is left,
   * and is over where that is nothing.
   */
  readonly reopen?: (() => Promise<MediaStream>) | undefined
  /** Told when the recording goes on in another session: the page was frozen, or the worker had lost the session. */
  readonly onContinued?: ((continued: Continued) => void) | undefined
  /**
   * Told after every slice that was cut, every chunk that was acknowledged or has stalled, every pause, and within a
   * second of every change of what the stream gives.
   */
  readonly onProgress?: ((progress: RecordProgress) => void) | undefined
}

/** A recording that goes on in another session, which names the one before it in `continues`. */
export interface Continued {
  readonly session: RecordingSession
  /** What became of the one before: as it ended, with what of it is stored; undefined where the worker has lost it. */
  readonly before: SessionSnapshot | undefined
}

export interface RecordProgress {
  /** Slices that MediaRecorder has given us. */
  readonly captured: number
  /** Of these, the ones that are durable in the worker. */
  readonly acknowledged: number
  /** Length of the slices, ms: what a person is told instead of their number. */
  readonly capturedMs: number
  readonly acknowledgedMs: number
  /** Bytes of the slices that only this page holds. */
  readonly waitingBytes: number
  /**
   * Why the worker does not take the oldest of them at the moment; it is sent again by itself. Or `recorder-failed`, while
   * the recorder runs and has given nothing for 10 s, or three slices: nothing of that time may be kept.
   */
  readonly stalledBy: HoldfastError | undefined
  /** True while nothing is recorded, because too much waits. */
  readonly paused: boolean
  /** What the stream gives: a recorder goes on without a word when its camera is gone. */
  readonly source: SourceState
}

export interface Recording {
  /**
   * Ends the recorder, waits until every chunk is durable, and ends the session. An abort stops the waiting alone: the
   * recording is ended all the same, and `finished` tells when.
   *
   * @throws HoldfastError as `finished` does; the signal's reason
   */
  stop(options?: WaitOptions): Promise<void>
  /** Settles when the recording is over: resolves after `stop`; rejects with a HoldfastError if a chunk could not be kept, once `unsaved` has all of it. */
  readonly finished: Promise<void>
  /**
   * What only this page holds, as a file: the recorder's first slice, which has the container's header, and those that
   * the worker has not taken. A player may stop at the gap between them. For a person to save where the device takes nothing more, or Stop
   * does not come to an end. Undefined where the worker has all of it.
   */
  unsaved(): Blob | undefined
  /**
   * The same as one file or, where the recorder was started anew meanwhile, several: of each its runs without a gap, the
   * first with the header. Empty where there is nothing.
   */
  unsavedRuns(): readonly (readonly Blob[])[]
}
