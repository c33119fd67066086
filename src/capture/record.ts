import type { RecordingSession, WaitOptions } from '../api.ts'
import type { HoldfastError } from '../protocol/errors.ts'
import { unlessAborted } from '../unless-aborted.ts'

export interface RecordOptions {
  /** Length of a chunk, ms. Default 3,000. MP4 follows key frames instead. */
  readonly timesliceMs?: number
  readonly videoBitsPerSecond?: number
  /**
   * Slices that the worker has not taken yet stay in the page; above this many bytes the recorder pauses, and goes on
   * below half of it. A gap in the picture, rather than a tab that the browser kills with all that it holds.
   * Default 256 MiB.
   */
  readonly maxWaitingBytes?: number
  /** Told after every slice that was cut, every chunk that was acknowledged or has stalled, and every pause. */
  readonly onProgress?: (progress: RecordProgress) => void
}

export interface RecordProgress {
  /** Slices that MediaRecorder has given us. */
  readonly captured: number
  /** Of these, the ones that are durable in the worker. */
  readonly acknowledged: number
  /** Bytes of the slices that only this page holds. */
  readonly waitingBytes: number
  /** Why the worker does not take the oldest of them at the moment; it is sent again by itself. */
  readonly stalledBy: HoldfastError | undefined
  /** True while nothing is recorded, because too much waits. */
  readonly paused: boolean
}

export interface Recording {
  /**
   * Ends the recorder, waits until every chunk is durable, and ends the session. An abort stops the waiting alone: the
   * recording is ended all the same, and `finished` tells when.
   *
   * @throws HoldfastError as `finished` does; the signal's reason
   */
  stop(options?: WaitOptions): Promise<void>
  /** Settles when the recording is over: resolves after `stop`, rejects if a chunk could not be kept. */
  readonly finished: Promise<void>
}

/** Formats in the order of our preference: WebM is cut by time, MP4 by key frames. */
const MIME_TYPES = [
  'video/webm;codecs=vp9,opus',
  'video/webm;codecs=vp8,opus',
  'video/webm',
  'video/mp4;codecs=avc1,opus',
  'video/mp4',
]

/** The first of our formats that this browser records; undefined where it records none. */
export const supportedMimeType = (): string | undefined =>
  typeof MediaRecorder === 'undefined'
    ? undefined
    : MIME_TYPES.find((type) => MediaRecorder.isTypeSupported(type))

const TIMESLICE_MS = 3_000
const MAX_WAITING_BYTES = 256 * 1024 * 1024

/**
 * Records a stream into a session, one chunk a timeslice. Only the first slice carries the container's header:
 * the chunks play when joined in order. The recording also ends when the stream does.
 */
export function record(
  session: RecordingSession,
  stream: MediaStream,
  mimeType: string,
  options: RecordOptions = {},
): Recording {
  const {
    timesliceMs = TIMESLICE_MS,
    maxWaitingBytes = MAX_WAITING_BYTES,
    videoBitsPerSecond,
    onProgress,
  } = options
  const recorder = new MediaRecorder(stream, { mimeType, ...(videoBitsPerSecond && { videoBitsPerSecond }) })
  let captured = 0
  let acknowledged = 0
  let waitingBytes = 0
  let cutAtMs = Date.now()
  const progress = () => {
    const { stalledBy } = session
    onProgress?.({ captured, acknowledged, waitingBytes, stalledBy, paused: recorder.state === 'paused' })
  }

  const { promise: finished, resolve, reject } = newDeferred()
  // A caller that only awaits `stop` is told there.
  finished.catch(() => undefined)

  recorder.addEventListener('dataavailable', ({ data }) => {
    if (data.size === 0) return
    const capturedAtMs = cutAtMs
    cutAtMs = Date.now()
    captured++
    waitingBytes += data.size
    if (waitingBytes > maxWaitingBytes && recorder.state === 'recording') recorder.pause()
    progress()
    const durationMs = cutAtMs - capturedAtMs
    session.append(data, { capturedAtMs, durationMs, onStalled: progress }).then(() => {
      acknowledged++
      waitingBytes -= data.size
      if (waitingBytes <= maxWaitingBytes / 2 && recorder.state === 'paused') recorder.resume()
      progress()
    }, reject)
  })
  recorder.addEventListener('resume', () => {
    cutAtMs = Date.now()
    progress()
  })
  recorder.addEventListener('error', (event) => reject(new Error(`The recorder failed: ${event.type}`)))
  recorder.addEventListener('stop', () => void session.end().then(() => resolve(), reject))
  recorder.start(timesliceMs)

  return {
    finished,
    stop: ({ signal } = {}) =>
      unlessAborted(signal, () => {
        if (recorder.state !== 'inactive') recorder.stop()
        return finished
      }),
  }
}

function newDeferred() {
  let resolve = () => {}
  let reject = (_error: unknown) => {}
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
