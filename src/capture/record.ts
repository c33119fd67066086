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
  const { timesliceMs = TIMESLICE_MS, videoBitsPerSecond, onProgress } = options
  const recorder = new MediaRecorder(stream, { mimeType, ...(videoBitsPerSecond && { videoBitsPerSecond }) })
  let captured = 0
  let acknowledged = 0
  let cutAtMs = Date.now()
  const progress = () => onProgress?.({ captured, acknowledged })

  const { promise: finished, resolve, reject } = newDeferred()
  // A caller that only awaits `stop` is told there.
  finished.catch(() => undefined)

  recorder.addEventListener('dataavailable', ({ data }) => {
    if (data.size === 0) return
    const capturedAt = cutAtMs
    cutAtMs = Date.now()
    captured++
    progress()
    session.append(data, { capturedAt, durationMs: cutAtMs - capturedAt }).then(() => {
      acknowledged++
      progress()
    }, reject)
  })
  recorder.addEventListener('error', (event) => reject(new Error(`The recorder failed: ${event.type}`)))
  recorder.addEventListener('stop', () => void session.end().then(() => resolve(), reject))
  recorder.start(timesliceMs)

  return {
    finished,
    stop: () => {
      if (recorder.state !== 'inactive') recorder.stop()
      return finished
    },
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
