import type { RecordingSession } from '../api.ts'

export interface RecordOptions {
  /** Length of a chunk, ms. Default 3,000. MP4 follows key frames instead. */
  readonly timesliceMs?: number
  readonly videoBitsPerSecond?: number
  /** Told after every slice that was cut and every chunk that was acknowledged. */
  readonly onProgress?: (progress: RecordProgress) => void
}

export interface RecordProgress {
  /** Slices that MediaRecorder has given us. */
  readonly captured: number
  /** Of these, the ones that are durable in the worker. */
  readonly acknowledged: number
}

export interface Recording {
  /** Ends the recorder, waits until every chunk is durable, and ends the session. */
  stop(): Promise<void>
  /** Settles when the recording is over: resolves after `stop`, rejects if a chunk could not be kept. */
  readonly finished: Promise<void>
}

/** The first of our container formats that this browser records, or undefined. */
export declare function supportedMimeType(): string | undefined
/** Records a stream into a session, one chunk a timeslice. */
export declare function record(
  session: RecordingSession,
  stream: MediaStream,
  mimeType: string,
  options?: RecordOptions,
): Recording
