import type { RecordingSession, WaitOptions } from '../api.ts'
import { MAX_CONCURRENT_CHUNKS } from '../patience.ts'
import { HoldfastError, isHoldfastError } from '../protocol/errors.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { unlessAborted } from '../unless-aborted.ts'
import { watchPageLife } from './page-life.ts'
import { cut, takeJoined, type Slice } from './slices.ts'
import { hasLost, isGone, sourceOf, watchSource, type SourceState } from './source.ts'
import { keepScreenOn } from './wake-lock.ts'

export type { SourceState, TrackState } from './source.ts'

export interface RecordOptions {
  /**
   * Length of a slice, ms: the unit of loss. A page that dies loses the slice that is being made, and what the worker
   * had not taken yet. Default 1,000. For MP4, which is cut at key frames, key frames are made as often; a browser that
   * cannot do that cuts later.
   */
  readonly timesliceMs?: number
  /**
   * Longest chunk, ms: the unit of a request, and of what is proved. A slice is a chunk where the worker takes slices as
   * they come. Where it does not, those that wait in the page, and would be lost together anyway, are joined up to this
   * length. Default 5,000; 0 joins nothing.
   */
  readonly chunkMs?: number
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
  /** Keeps the screen on until the recording is over, where the browser can. Default true. */
  readonly keepAwake?: boolean
  /**
   * Asked for another stream where the page was frozen, and its camera was taken away meanwhile; its tracks are stopped
   * when the recording is over. Without, and where it rejects, the recording is over then.
   */
  readonly reopen?: () => Promise<MediaStream>
  /** Told when the recording goes on in another session: the page was frozen, or the worker had lost the session. */
  readonly onContinued?: (continued: Continued) => void
  /**
   * Told after every slice that was cut, every chunk that was acknowledged or has stalled, every pause, and within a
   * second of every change of what the stream gives.
   */
  readonly onProgress?: (progress: RecordProgress) => void
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
  /**
   * The same as one file or, where the recorder was started anew meanwhile, several: of each its runs without a gap, the
   * first with the header. Empty where there is nothing.
   */
  unsavedRuns(): readonly (readonly Blob[])[]
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

const TIMESLICE_MS = 1_000
const CHUNK_MS = 5_000
const KEY_FRAME_EVERY_MS = 2_000
const MAX_WAITING_BYTES = 256 * 1024 * 1024

/** What one recorder has made, as far as the page has to keep it. */
interface Made {
  /** Its first slice. */
  readonly header: Blob
  /** Slices that the worker has not taken, in order, with their numbers. */
  readonly untaken: Map<Blob, number>
  count: number
}

/** What goes into one session: of one recorder, so that its chunks play when joined; or the rest of that. */
interface Part {
  /** Pieces are taken already while it is opened. */
  readonly session: Promise<RecordingSession>
  /** Chunks that are handed over and not taken, oldest first. */
  readonly handed: Set<Slice>
  /** What waits for its turn after these. */
  readonly queued: Slice[]
  /** Nothing more comes. */
  isOver: boolean
  /** The page was frozen meanwhile: it is not whole. */
  isCutOff: boolean
  /** What the worker says of its end; undefined where the worker has lost it. */
  readonly ended: Deferred<SessionSnapshot | undefined>
  /** Where what is not taken goes once the worker has lost this session. */
  rest?: Part
}

const partOf = (session: Promise<RecordingSession>): Part => ({
  session,
  handed: new Set(),
  queued: [],
  isOver: false,
  isCutOff: false,
  ended: newDeferred(),
})

/** Where what belongs to this part goes by now. */
const lastOf = (part: Part): Part => (part.rest ? lastOf(part.rest) : part)

/**
 * Records a stream into a session, one chunk a timeslice where the worker keeps up. Only the first slice carries the container's header:
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
 * When the page is hidden, which may be the last that it hears, what was recorded is cut at once. One that was frozen,
 * or put aside for Back, and runs again ends its session as `interrupted`, and goes on in another.
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
    chunkMs = CHUNK_MS,
    maxWaitingBytes = MAX_WAITING_BYTES,
    whenSourceLost = 'go-on',
    keepAwake = true,
    videoBitsPerSecond,
    reopen,
    onContinued,
    onProgress,
  } = options
  const { promise: finished, resolve, reject } = newDeferred<void>()
  // A caller that only awaits `stop` is told there.
  finished.catch(() => undefined)
  const sessions = [session]
  /** Of parts that get nothing more. */
  const ends: Promise<unknown>[] = []
  let given = stream
  let isReturning = false
  let captured = 0
  let acknowledged = 0
  let capturedMs = 0
  let acknowledgedMs = 0
  let waitingBytes = 0
  let source = sourceOf(stream)
  let isAsked = false
  /** A page that was frozen may have had more than one recorder. */
  const made: Made[] = []
  const asked = newDeferred<undefined>()
  const over = new AbortController()
  let part = partOf(Promise.resolve(session))
  let recorder = startRecorder(part)
  let unwatch = watch()
  watchPageLife({ onHidden: cutNow, onBack: () => void comeBack() }, over.signal)
  if (keepAwake) {
    const done = new AbortController()
    keepScreenOn(done.signal)
    void finished.catch(() => undefined).then(() => done.abort())
  }

  function watch(): () => void {
    const watching = new AbortController()
    over.signal.addEventListener('abort', () => watching.abort(), { signal: watching.signal })
    watchSource(given, onSource, watching.signal)
    return () => watching.abort()
  }

  function cutNow(): void {
    if (recorder.state === 'recording') recorder.requestData()
  }

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
    if (isOver && !isReturning && recorder.state !== 'inactive') recorder.stop()
  }

  function startRecorder(into: Part): MediaRecorder {
    const recorderOptions = {
      mimeType,
      videoKeyFrameIntervalDuration: keyFrameEveryMs(mimeType, timesliceMs),
      ...(videoBitsPerSecond && { videoBitsPerSecond }),
    }
    const started = newRecorder(given, recorderOptions)
    let cutAtMs = Date.now()
    let own: Made | undefined
    started.addEventListener('dataavailable', ({ data }) => {
      if (data.size === 0) return
      const capturedAtMs = cutAtMs
      cutAtMs = Date.now()
      const durationMs = cutAtMs - capturedAtMs
      if (!own) made.push((own = { header: data, untaken: new Map(), count: 0 }))
      const { untaken } = own
      untaken.set(data, own.count++)
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
      const to = lastOf(into)
      to.queued.push({ data, capturedAtMs, durationMs, taken })
      handNext(to)
    })
    started.addEventListener('resume', () => {
      cutAtMs = Date.now()
      progress()
    })
    started.addEventListener('error', (event) =>
      reject(recorderFailed('error' in event ? event.error : event)),
    )
    started.addEventListener('stop', () => {
      // Of a page that comes back it is what there was before, and not the end.
      if (started !== recorder || isReturning) return end(lastOf(into), into.isCutOff || hasLost(source))
      if (!isAsked) onSource(sourceOf(given))
      over.abort()
      end(lastOf(into), !isAsked || into.isCutOff || hasLost(source))
      void allEnded().then(() => resolve(), reject)
    })
    startNow(started, timesliceMs)
    return started
  }

  /** Hands over as many chunks as have their turn. */
  function handNext(to: Part, atOnce = MAX_CONCURRENT_CHUNKS): void {
    while (to.queued.length > 0 && to.handed.size < atOnce)
      for (const piece of cut(takeJoined(to.queued, chunkMs))) hand(piece, to)
  }

  function hand(piece: Slice, to: Part): void {
    const { data, capturedAtMs, durationMs, taken } = piece
    to.handed.add(piece)
    const handed = to.session.then((into) =>
      into.append(data, { capturedAtMs, durationMs, onStalled: progress }),
    )
    handed.then(
      () => {
        to.handed.delete(piece)
        waitingBytes -= data.size
        taken()
        handNext(to)
        if (waitingBytes <= maxWaitingBytes / 2 && recorder.state === 'paused') recorder.resume()
        progress()
      },
      (error: unknown) => (isHoldfastError(error, 'unknown-session') ? leave(to) : reject(error)),
    )
  }

  /** The worker has lost this part's session. */
  function leave(lost: Part): void {
    if (lost.rest !== undefined) return
    const rest = partOf(lost.session.then(restart))
    lost.rest = rest
    lost.ended.resolve(undefined)
    for (const piece of lost.handed) hand(piece, rest)
    rest.queued.push(...lost.queued.splice(0))
    handNext(rest)
    if (lost.isOver) return end(rest, lost.isCutOff || hasLost(source))
    if (lost === part && recorder.state !== 'inactive' && !isReturning)
      goOnIn(partOf(rest.session.then(restart)), undefined)
  }

  /** The page was frozen, and runs again. */
  async function comeBack(): Promise<void> {
    if (isReturning || recorder.state === 'inactive') return
    isReturning = true
    part.isCutOff = true
    if (reopen && isGone(sourceOf(given)))
      given = (await Promise.race([reopened(reopen), asked.promise])) ?? given
    isReturning = false
    source = sourceOf(given)
    if (isAsked || isGone(source)) return stopNow()
    unwatch()
    unwatch = watch()
    const before = lastOf(part)
    const next = before.session.then(async (last) => {
      await before.ended.promise
      return restart(last)
    })
    goOnIn(partOf(next), before.ended.promise)
    progress()
  }

  /** Another stream, which is closed with the recording; undefined where there is none, or it comes too late. */
  async function reopened(open: () => Promise<MediaStream>): Promise<MediaStream | undefined> {
    const stream = await open().catch(() => undefined)
    const close = () => stream?.getTracks().forEach((track) => track.stop())
    void finished.then(close, close)
    return stream
  }

  /** The page was frozen, and there is nothing to go on with. */
  function stopNow(): void {
    if (recorder.state !== 'inactive') return recorder.stop()
    over.abort()
    void allEnded().then(() => resolve(), reject)
  }

  /** Starts the recorder anew. What the old one gives yet, and its end, are of the part before. */
  function goOnIn(into: Part, before: Promise<SessionSnapshot | undefined> | undefined): void {
    const old = recorder
    part = into
    try {
      recorder = startRecorder(into)
      void Promise.all([into.session, before]).then(
        ([session, ended]) => onContinued?.({ session, before: ended }),
        reject,
      )
    } catch (error) {
      reject(error)
      end(into, true)
    }
    if (old.state !== 'inactive') old.stop()
  }

  async function restart(before: RecordingSession): Promise<RecordingSession> {
    const another = await before.restart()
    sessions.push(another)
    return another
  }

  function end(done: Part, isInterrupted: boolean): void {
    done.isOver = true
    // What waits for its turn is the session's to hand over from here on.
    handNext(done, Infinity)
    const ended = done.session.then((last) => last.end(isInterrupted ? { how: 'interrupted' } : {}))
    ended.then(done.ended.resolve, () => done.ended.resolve(undefined))
    // Where the worker has lost it, what it had not taken is in another; so is what came later.
    const isElsewhere = (error: unknown) =>
      done.rest !== undefined || (done !== part && isHoldfastError(error, 'unknown-session'))
    ends.push(ended.catch((error: unknown) => (isElsewhere(error) ? undefined : Promise.reject(error))))
  }

  async function allEnded(): Promise<void> {
    // More may be added meanwhile.
    for (const ended of ends) await ended
  }

  return {
    finished,
    unsaved() {
      const runs = made.flatMap(runsOf)
      return runs.length === 0 ? undefined : new Blob(runs, { type: mimeType })
    },
    unsavedRuns: () =>
      made
        .map((one) => runsOf(one).map((run) => new Blob([run], { type: mimeType })))
        .filter((runs) => runs.length > 0),
    stop: ({ signal } = {}) =>
      unlessAborted(signal, () => {
        if (recorder.state === 'inactive' && !isReturning) return finished
        source = sourceOf(given)
        isAsked = true
        // From here on the caller may let its camera go.
        over.abort()
        asked.resolve(undefined)
        // What comes back finds that it is over.
        if (!isReturning) recorder.stop()
        return finished
      }),
  }
}

/**
 * A player goes on after a gap, or where it is told to seek, with a key frame; browsers make one each 100 frames or so.
 * MP4 is cut at them, too.
 */
const keyFrameEveryMs = (mimeType: string, timesliceMs: number) =>
  mimeType.startsWith('video/mp4') ? timesliceMs : Math.max(timesliceMs, KEY_FRAME_EVERY_MS)

function runsOf(made: Made): readonly Blob[] {
  if (made.untaken.size === 0) return []
  const runs: Blob[][] = [[made.header]]
  let last = 0
  for (const [slice, number] of made.untaken) {
    if (number === 0) continue
    if (number > last + 1) runs.push([])
    runs[runs.length - 1]?.push(slice)
    last = number
  }
  return runs.map((run) => new Blob(run))
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

interface Deferred<Value> {
  readonly promise: Promise<Value>
  resolve(value: Value): void
  reject(error: unknown): void
}

function newDeferred<Value>(): Deferred<Value> {
  let resolve = (_value: Value) => {}
  let reject = (_error: unknown) => {}
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
