import type { RecordingSession, WaitOptions } from '../api.ts'
import { HoldfastError, isHoldfastError } from '../protocol/errors.ts'
import { MAX_CHUNK_BYTES } from '../protocol/messages.ts'
import { unlessAborted } from '../unless-aborted.ts'
import { hasLost, isGone, sourceOf, watchSource, type SourceState } from './source.ts'

export type { SourceState, TrackState } from './source.ts'

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
  /**
   * What to do when the camera or the microphone is lost: `go-on` (default) with what is left, or `end`. Where nothing
   * is left the recording ends. In each case it ends as `interrupted`.
   */
  readonly whenSourceLost?: 'go-on' | 'end'
  /**
   * Told after every slice that was cut, every chunk that was acknowledged or has stalled, every pause, and within a
   * second of every change of what the stream gives.
   */
  readonly onProgress?: (progress: RecordProgress) => void
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
  /** Why the worker does not take the oldest of them at the moment; it is sent again by itself. */
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
  /** Settles when the recording is over: resolves after `stop`; rejects with a HoldfastError if a chunk could not be kept. */
  readonly finished: Promise<void>
  /**
   * What only this page holds, as a file: the recorder's first slice, which has the container's header, and those that
   * the worker has not taken. A player may stop at the gap between them. For a person to save where the device takes nothing more, or Stop
   * does not come to an end. Undefined where the worker has all of it.
   */
  unsaved(): Blob | undefined
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

/** Largest piece that is handed over as one chunk: what sealing adds fits, too. */
const MAX_PIECE_BYTES = MAX_CHUNK_BYTES - 1024

/** What becomes one chunk: a slice, or a piece of one that is too large. */
interface Piece {
  readonly data: Blob
  readonly capturedAtMs: number
  readonly durationMs: number
  /** Called once, when the worker has it. */
  readonly taken: () => void
}

/** What one recorder has made, as far as the page has to keep it. */
interface Made {
  /** Its first slice. */
  readonly header: Blob
  /** Slices that the worker has not taken, in order. */
  readonly untaken: Set<Blob>
}

/** What goes into one session: of one recorder, so that its chunks play when joined; or the rest of that. */
interface Part {
  /** Pieces are taken already while it is opened. */
  readonly session: Promise<RecordingSession>
  /** What the worker has not taken, oldest first. */
  readonly waiting: Set<Piece>
  /** Where that goes once the worker has lost this session. */
  rest?: Part
}

/**
 * Records a stream into a session, one chunk a timeslice. Only the first slice carries the container's header:
 * the chunks play when joined in order.
 *
 * The stream's tracks are watched: what they give is told in `onProgress`. A recording that has lost its camera or its
 * microphone, or that ended because its stream did, is `interrupted`; `complete` is one that was stopped, and whose
 * sources were there to the end.
 *
 * Where the worker has lost the session, because somebody cleared the site's data, what it had not taken goes into
 * another one, and the recorder is started anew into a third, which plays by itself; each names the one before it in
 * `continues`. A slice that is too large for a chunk is cut: joined again, it plays.
 *
 * @throws HoldfastError `recorder-failed` where the browser cannot record this stream in this format
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
    whenSourceLost = 'go-on',
    videoBitsPerSecond,
    onProgress,
  } = options
  const { promise: finished, resolve, reject } = newDeferred()
  // A caller that only awaits `stop` is told there.
  finished.catch(() => undefined)
  const sessions = [session]
  /** Of parts that get nothing more. */
  const ends: Promise<unknown>[] = []
  let captured = 0
  let acknowledged = 0
  let capturedMs = 0
  let acknowledgedMs = 0
  let waitingBytes = 0
  let source = sourceOf(stream)
  let isAsked = false
  let made: Made | undefined
  const over = new AbortController()
  let part: Part = { session: Promise.resolve(session), waiting: new Set() }
  let recorder = startRecorder(part)
  watchSource(stream, onSource, over.signal)

  function progress(): void {
    const stalledBy = sessions.map((each) => each.stalledBy).find((error) => error !== undefined)
    const paused = recorder.state === 'paused'
    onProgress?.({
      captured,
      acknowledged,
      capturedMs,
      acknowledgedMs,
      waitingBytes,
      stalledBy,
      paused,
      source,
    })
  }

  function onSource(now: SourceState): void {
    source = now
    progress()
    const isOver = isGone(now) || (hasLost(now) && whenSourceLost === 'end')
    if (isOver && recorder.state !== 'inactive') recorder.stop()
  }

  function startRecorder(into: Part): MediaRecorder {
    const started = newRecorder(stream, { mimeType, ...(videoBitsPerSecond && { videoBitsPerSecond }) })
    let cutAtMs = Date.now()
    let own: Made | undefined
    started.addEventListener('dataavailable', ({ data }) => {
      if (data.size === 0) return
      const capturedAtMs = cutAtMs
      cutAtMs = Date.now()
      const durationMs = cutAtMs - capturedAtMs
      const { untaken } = (own ??= made = { header: data, untaken: new Set() })
      untaken.add(data)
      captured++
      capturedMs += durationMs
      waitingBytes += data.size
      if (waitingBytes > maxWaitingBytes && started.state === 'recording') started.pause()
      progress()
      const taken = () => {
        untaken.delete(data)
        acknowledged++
        acknowledgedMs += durationMs
      }
      for (const piece of cut({ data, capturedAtMs, durationMs, taken })) hand(piece, into.rest ?? into)
    })
    started.addEventListener('resume', () => {
      cutAtMs = Date.now()
      progress()
    })
    started.addEventListener('error', (event) =>
      reject(recorderFailed('error' in event ? event.error : event)),
    )
    started.addEventListener('stop', () => {
      const isLast = started === recorder
      if (isLast && !isAsked) onSource(sourceOf(stream))
      if (isLast) over.abort()
      end(into.rest ?? into, (isLast && !isAsked) || hasLost(source))
      if (isLast) void allEnded().then(resolve, reject)
    })
    startNow(started, timesliceMs)
    return started
  }

  function hand(piece: Piece, to: Part): void {
    const { data, capturedAtMs, durationMs, taken } = piece
    to.waiting.add(piece)
    const handed = to.session.then((into) =>
      into.append(data, { capturedAtMs, durationMs, onStalled: progress }),
    )
    handed.then(
      () => {
        to.waiting.delete(piece)
        waitingBytes -= data.size
        taken()
        if (waitingBytes <= maxWaitingBytes / 2 && recorder.state === 'paused') recorder.resume()
        progress()
      },
      (error: unknown) => (isHoldfastError(error, 'unknown-session') ? leave(to) : reject(error)),
    )
  }

  /** The worker has lost this part's session. */
  function leave(lost: Part): void {
    if (lost.rest !== undefined) return
    const rest = follow(lost)
    lost.rest = rest
    for (const piece of lost.waiting) hand(piece, rest)
    if (lost !== part || recorder.state === 'inactive') return end(rest, hasLost(source))
    const old = recorder
    part = follow(rest)
    recorder = startRecorder(part)
    // What it gives yet, and its end, are of the rest.
    old.stop()
  }

  function follow(lost: Part): Part {
    const opened = lost.session.then((before) => before.restart())
    opened.then((another) => sessions.push(another), reject)
    return { session: opened, waiting: new Set() }
  }

  function end(done: Part, isInterrupted: boolean): void {
    const ended = done.session.then((last) => last.end(isInterrupted ? { how: 'interrupted' } : {}))
    // Where the worker has lost it, its rest is in another.
    ends.push(ended.catch((error: unknown) => done.rest ?? Promise.reject(error)))
  }

  async function allEnded(): Promise<void> {
    // More may be added meanwhile.
    for (const ended of ends) await ended
  }

  return {
    finished,
    unsaved() {
      if (made === undefined || made.untaken.size === 0) return undefined
      return new Blob([...new Set([made.header, ...made.untaken])], { type: mimeType })
    },
    stop: ({ signal } = {}) =>
      unlessAborted(signal, () => {
        if (recorder.state === 'inactive') return finished
        source = sourceOf(stream)
        isAsked = true
        // From here on the caller may let its camera go.
        over.abort()
        recorder.stop()
        return finished
      }),
  }
}

const recorderFailed = (cause: unknown) =>
  new HoldfastError(
    'recorder-failed',
    `The recorder failed: ${cause instanceof Error ? cause.message : 'no reason was given'}.`,
    { cause },
  )

function newRecorder(stream: MediaStream, options: MediaRecorderOptions): MediaRecorder {
  try {
    return new MediaRecorder(stream, options)
  } catch (cause) {
    throw recorderFailed(cause)
  }
}

function startNow(recorder: MediaRecorder, timesliceMs: number): void {
  try {
    recorder.start(timesliceMs)
  } catch (cause) {
    throw recorderFailed(cause)
  }
}

/** Pieces that are small enough, the time shared by their sizes; the last of them that is taken counts. */
function cut({ data, capturedAtMs, durationMs, taken }: Piece): readonly Piece[] {
  const count = Math.max(1, Math.ceil(data.size / MAX_PIECE_BYTES))
  let left = count
  return Array.from({ length: count }, (_none, at) => ({
    data: count === 1 ? data : data.slice(at * MAX_PIECE_BYTES, (at + 1) * MAX_PIECE_BYTES),
    capturedAtMs: Math.round(capturedAtMs + (durationMs * at) / count),
    durationMs: Math.round(durationMs / count),
    taken: () => {
      if (--left === 0) taken()
    },
  }))
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
