import type { RecordingSession } from '../api.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { bad } from '../bad-input.ts'
import type { HoldfastError } from '../protocol/errors.ts'
import { FUNCTION, optionsOf, WAIT, type Known } from '../options.ts'
import { callListener } from '../call-listener.ts'
import { unlessAborted } from '../protocol/unless-aborted.ts'
import type { Recording, RecordOptions } from './api.ts'
import { newDeferred } from './deferred.ts'
import { runsOf, type Made } from './made.ts'
import { firstNotes, sourceNote } from './notes.ts'
import { recorderFailed, startRecorder } from './media-recorder.ts'
import { watchPageLife } from './page-life.ts'
import { recordingParts, type Part } from './parts.ts'
import { watchSilence } from './silence.ts'
import { hasLost, isGone, isSame, sourceOf, watchSource, type SourceState } from './source.ts'
import { keepScreenOn } from './wake-lock.ts'

export type { Continued, Recording, RecordOptions, RecordProgress } from './api.ts'
export type { RecorderNote } from './notes.ts'
export { supportedMimeType } from './media-recorder.ts'
export type { SourceState, TrackState } from './source.ts'

const RECORD: Known<RecordOptions> = {
  timesliceMs: 1,
  chunkMs: 1,
  videoBitsPerSecond: 1,
  maxWaitingBytes: 1,
  whenSourceLost: ['go-on', 'end'],
  isTestPicture: FUNCTION,
  keepAwake: 1,
  reopen: FUNCTION,
  onContinued: FUNCTION,
  onProgress: FUNCTION,
}

/** Chunks of two recorders among each other would play as neither. */
const recordedInto = new WeakSet<RecordingSession>()

const TIMESLICE_MS = 1_000
const CHUNK_MS = 5_000
const MAX_WAITING_BYTES = 256 * 1024 * 1024
/** A browser has so long to give the last slice and to say that it has stopped, ms; the film may be long. */
const STOP_TIMEOUT_MS = 60_000
const LAST_WAIT_MS = 1_000
/** A slice that seems to have taken so much longer than it did, ms, tells that the clock was set. */
const CLOCK_WAS_SET_MS = 120_000

const ONCE = { once: true }

/**
 * Records a stream into a session, one chunk a timeslice where the worker keeps up. Only the first slice carries the container's header:
 * the chunks play when joined in order.
 *
 * The stream's tracks are watched: what they give is told in `onProgress`. A recording that has lost its camera or its
 * microphone, or that ended because its stream did, is `interrupted`; `complete` is one that was stopped, and whose
 * sources were there to the end.
 *
 * What happens to its source is written into the recording too, in notes for its readers (`RecorderNote`), and so is that
 * it goes on in another session.
 *
 * Where the worker has lost the session, because somebody cleared the site's data, what it had not taken goes into
 * another one, and the recorder is started anew into a third, which plays by itself; each names the one before it in
 * `continues`. A slice that is too large for a chunk is cut: joined again, it plays.
 *
 * When the page is hidden, which may be the last that it hears, what was recorded is cut at once. One that was frozen,
 * or put aside for Back, and runs again ends its session as `interrupted`, and goes on in another.
 *
 * @param session which nothing was recorded into yet
 * @throws HoldfastError `bad-input`; `recorder-failed` where the browser cannot record this stream in this format
 */
export function record(
  session: RecordingSession,
  stream: MediaStream,
  mimeType: string,
  options?: RecordOptions,
): Recording {
  const {
    timesliceMs = TIMESLICE_MS,
    chunkMs = CHUNK_MS,
    maxWaitingBytes = MAX_WAITING_BYTES,
    whenSourceLost = 'go-on',
    keepAwake = true,
    isTestPicture = () => false,
    videoBitsPerSecond,
    reopen,
    onContinued,
    onProgress,
  } = optionsOf(options, RECORD)
  const isRight = {
    session: session?.append,
    stream: stream?.getTracks,
    mimeType: mimeType?.trim?.(),
    timesliceMs: timesliceMs >= 0,
    chunkMs: chunkMs >= 0,
    maxWaitingBytes: maxWaitingBytes >= 0,
  }
  for (const [name, right] of Object.entries(isRight))
    if (!right) throw bad(name, 'not as record() takes it. Is an await missing?')
  if (recordedInto.has(session)) throw bad('session', 'there is a recording in it already.')
  const { promise: finished, resolve, reject } = newDeferred<void>()
  // A note may be written where nothing can be loaded any more.
  import('../app-data.ts').catch(() => undefined)
  const done = new AbortController()
  // A caller that only awaits `stop` is told there.
  void finished.catch(() => undefined).then(() => done.abort())
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
  /** Parts in whose time the page was frozen: they are not whole. */
  const cutOff = new WeakSet<Part>()
  /** Resolve once a recorder has given its last slice. */
  const stops = new WeakMap<MediaRecorder, Promise<unknown>>()
  let hasFailed = false
  /** What is told while the recorder gives nothing. */
  let silentBy: HoldfastError | undefined
  const asked = newDeferred<undefined>()
  const over = new AbortController()
  const parts = recordingParts({
    chunkMs,
    current: () => part,
    onTaken(sizeBytes) {
      waitingBytes -= sizeBytes
      if (waitingBytes <= maxWaitingBytes / 2 && recorder.state === 'paused') recorder.resume()
      progress()
    },
    onStalled: progress,
    onLost(rest) {
      if (recorder.state !== 'inactive' && !isReturning) goOnIn(parts.after(rest))
    },
    onFailed: (error) => void fail(error),
  })
  let part = parts.first(session)
  let recorder = recordInto(part)
  recordedInto.add(session)
  describeSource()
  let unwatch = watch()
  watchPageLife({ onHidden: cutNow, onBack: () => void comeBack() }, over.signal)
  if (keepAwake) keepScreenOn(done.signal)

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
    callListener(onProgress, {
      captured,
      acknowledged,
      capturedMs,
      acknowledgedMs,
      waitingBytes,
      stalledBy: silentBy ?? parts.stalledBy(),
      paused: recorder.state === 'paused',
      source,
    })
  }

  function describeSource(): void {
    let isMadeUp = false
    callListener((stream) => (isMadeUp = isTestPicture(stream)), given)
    for (const note of firstNotes(source, isMadeUp)) parts.note(note, part)
  }

  function seeSource(now: SourceState): void {
    if (!isSame(now, source)) parts.note(sourceNote(now), part)
    source = now
  }

  function onSource(now: SourceState): void {
    seeSource(now)
    progress()
    const isOver = isGone(now) || (hasLost(now) && whenSourceLost === 'end')
    if (isOver && !isReturning) halt(recorder)
  }

  function recordInto(into: Part): MediaRecorder {
    return startRecorder(given, mimeType, timesliceMs, videoBitsPerSecond, (started) => listen(started, into))
  }

  function listen(started: MediaRecorder, into: Part): void {
    watchSilence(started, timesliceMs, (isSilent) => {
      silentBy = isSilent ? recorderFailed(new Error('it gives nothing')) : undefined
      progress()
    })
    let cutAtMs = Date.now()
    let cutAt = performance.now()
    /** Nothing is made meanwhile. */
    let isPaused = false
    let own: Made | undefined
    // Where the first picture comes later than the first slice Chromium’s has one byte of the header, and the next one the rest.
    let half: Blob | undefined
    /** Of the slice that is being made. */
    const lengthMs = () => {
      const tookMs = Math.round(performance.now() - cutAt)
      const toldMs = Date.now() - cutAtMs
      return isPaused ? 0 : toldMs < 0 || toldMs > tookMs + CLOCK_WAS_SET_MS ? tookMs : toldMs
    }
    const beginSlice = () => {
      cutAtMs = Date.now()
      cutAt = performance.now()
    }
    started.addEventListener('dataavailable', ({ data: piece }) => {
      const data = half ? new Blob([half, piece]) : piece
      half = own || data.size > 1 ? undefined : data
      if (half || data.size === 0) return
      const capturedAtMs = cutAtMs
      const durationMs = lengthMs()
      beginSlice()
      if (!own) made.push((own = { header: data, untaken: new Map(), count: 0 }))
      const { untaken } = own
      untaken.set(data, own.count++)
      captured++
      capturedMs += durationMs
      waitingBytes += data.size
      if (waitingBytes > maxWaitingBytes && started.state === 'recording') {
        started.pause()
        isPaused = true
      }
      progress()
      const taken = () => {
        untaken.delete(data)
        acknowledged++
        acknowledgedMs += durationMs
      }
      parts.add({ data, capturedAtMs, durationMs, taken }, into)
    })
    started.addEventListener('resume', () => {
      isPaused = false
      beginSlice()
      progress()
    })
    stops.set(started, new Promise((stop) => started.addEventListener('stop', stop, ONCE)))
    started.addEventListener(
      'error',
      (event) => void fail(recorderFailed('error' in event ? event.error : event)),
    )
    const onStop = () => {
      // Of a page that comes back it is what there was before, and not the end.
      if (started !== recorder || isReturning) return endPart(into)
      if (!isAsked) onSource(sourceOf(given))
      endPart(into, !isAsked || hasFailed)
      conclude()
    }
    started.addEventListener('stop', onStop, ONCE)
  }

  /** Stops a recorder, or waits for one that has stopped: a browser that never says so is not waited for. */
  function halt(one: MediaRecorder, waitMs = STOP_TIMEOUT_MS): void {
    if (one.state !== 'inactive') one.stop()
    const timer = setTimeout(() => {
      // A page that was frozen over it has what came meanwhile yet to hear.
      if (waitMs > LAST_WAIT_MS) return halt(one, LAST_WAIT_MS)
      if (one === recorder) void fail(recorderFailed(new Error('it does not stop')))
      one.dispatchEvent(new Event('stop'))
    }, waitMs)
    void stops.get(one)?.then(() => clearTimeout(timer))
  }

  /** It is over; told once what was being made is there too, for the page to save. */
  async function fail(error: unknown): Promise<void> {
    hasFailed = true
    halt(recorder)
    await stops.get(recorder)
    reject(error)
  }

  const endPart = (done: Part, isInterrupted?: boolean) =>
    parts.end(done, isInterrupted || cutOff.has(done) || hasLost(source) ? 'interrupted' : 'complete')

  /** The page was frozen, and runs again. */
  async function comeBack(): Promise<void> {
    if (isReturning || recorder.state === 'inactive') return
    isReturning = true
    cutOff.add(part)
    if (reopen && hasLost(sourceOf(given)))
      given = (await Promise.race([reopened(reopen), asked.promise])) ?? given
    isReturning = false
    source = sourceOf(given)
    if (isAsked || hasFailed || isGone(source)) return stopNow()
    unwatch()
    unwatch = watch()
    const { next, ended } = parts.afterEnd(part)
    goOnIn(next, ended)
    progress()
  }

  /** Another stream, which is closed with the recording; undefined where there is none, or it comes too late. */
  async function reopened(open: () => Promise<MediaStream>): Promise<MediaStream | undefined> {
    const another = await Promise.resolve()
      .then(open)
      .catch(() => undefined)
    const close = () => another?.getTracks().forEach((track) => track.stop())
    void finished.then(close, close)
    return another
  }

  /** The page was frozen, and there is nothing to go on with. */
  const stopNow = () => (recorder.state === 'inactive' ? conclude() : halt(recorder))

  function conclude(): void {
    over.abort()
    void parts.allEnded().then(resolve, reject)
  }

  const unsavedRuns = () => made.map((one) => runsOf(one, mimeType)).filter((runs) => runs.length > 0)

  /** Starts the recorder anew. What the old one gives yet, and its end, are of the part before. */
  function goOnIn(into: Part, before?: Promise<SessionSnapshot | undefined>): void {
    const old = recorder
    part = into
    parts.note({ holdfast: 'continued', after: before ? 'frozen' : 'lost' }, part)
    describeSource()
    try {
      recorder = recordInto(into)
      void Promise.all([into.session, before]).then(([another, before]) => {
        recordedInto.add(another)
        if (!done.signal.aborted) callListener(onContinued, { session: another, before })
      }, fail)
    } catch (error) {
      void fail(error)
      parts.end(into, 'interrupted')
    }
    halt(old)
  }

  return {
    finished,
    unsaved() {
      const runs = unsavedRuns().flat()
      return runs[0] && new Blob(runs, { type: mimeType })
    },
    unsavedRuns,
    async stop(options) {
      const { signal } = optionsOf(options, WAIT)
      return unlessAborted(signal, () => {
        // One that has ended by itself was not asked to.
        if (recorder.state !== 'inactive' || isReturning) {
          seeSource(sourceOf(given))
          isAsked = true
          // From here on the caller may let its camera go.
          over.abort()
          asked.resolve(undefined)
        }
        // What comes back finds that it is over.
        if (!isReturning) halt(recorder)
        return finished
      })
    },
  }
}
