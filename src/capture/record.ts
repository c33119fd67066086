import type { RecordingSession } from '../api.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { bad } from '../bad-input.ts'
import type { HoldfastError } from '../protocol/errors.ts'
import { FUNCTION, optionsOf, WAIT, type Known } from '../options.ts'
import { callListener } from '../call-listener.ts'
import { following } from '../protocol/following.ts'
import { unlessAborted } from '../protocol/unless-aborted.ts'
import type { Recording, RecordOptions } from './api.ts'
import { newDeferred } from './deferred.ts'
import { keepIn, runsOf, type Made } from './made.ts'
import { firstNotes, sourceNote } from './notes.ts'
import { recorderFailed, startRecorder } from './media-recorder.ts'
import { watchPageLife } from './page-life.ts'
import { recordingParts, type Part } from './parts.ts'
import { reopened } from './reopened.ts'
import { watchSilence } from './silence.ts'
import { hasLost, isGone, isSame, sourceOf, watchSource } from './source.ts'
import { stopRecorder, watchStop } from './stopping.ts'
import { keepScreenOn } from './wake-lock.ts'
import { watchSlices, type Cut } from './watch-slices.ts'

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
  /** What it gave at the last look. */
  let source = sourceOf(given)
  const counted = { captured: 0, acknowledged: 0, capturedMs: 0, acknowledgedMs: 0, waitingBytes: 0 }
  /** A page that was frozen may have had more than one recorder. */
  const made: Made[] = []
  const unsavedRuns = () => runsOf(made, mimeType)
  /** Parts in whose time the page was frozen: they are not whole. */
  const cutOff = new WeakSet<Part>()
  /** The page was frozen, and looks for what to go on with. */
  let isReturning = false
  let hasFailed = false
  /** What is told while the recorder gives nothing. */
  let silentBy: HoldfastError | undefined
  /** It was asked to stop, or has: the caller may let its camera go. */
  const over = new AbortController()
  const parts = recordingParts({
    chunkMs,
    current: () => part,
    onTaken(sizeBytes) {
      counted.waitingBytes -= sizeBytes
      if (counted.waitingBytes <= maxWaitingBytes / 2 && recorder.state === 'paused') recorder.resume()
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
  let watching = watch()
  watchPageLife(
    { onHidden: () => recorder.state === 'recording' && recorder.requestData(), onBack: comeBack },
    over.signal,
  )
  if (keepAwake) keepScreenOn(done.signal)

  function progress(): void {
    callListener(onProgress, {
      ...counted,
      stalledBy: silentBy ?? parts.stalledBy(),
      paused: recorder.state === 'paused',
      source,
    })
  }

  function watch(): AbortController {
    const watching = following(over.signal)
    const look = () => {
      if (!isSame(sourceOf(given), source)) onSource()
    }
    watchSource(given, look, watching.signal)
    return watching
  }

  function describeSource(): void {
    let isMadeUp = false
    callListener((stream) => (isMadeUp = isTestPicture(stream)), given)
    for (const note of firstNotes(source, isMadeUp)) parts.note(note, part)
  }

  function seeSource(): void {
    const now = sourceOf(given)
    if (!isSame(now, source)) parts.note(sourceNote(now), part)
    source = now
  }

  function onSource(): void {
    seeSource()
    progress()
    const isOver = isGone(source) || (hasLost(source) && whenSourceLost === 'end')
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
    const keep = keepIn(made)
    const onSlice = (slice: Cut) => {
      const release = keep(slice.data)
      counted.captured++
      counted.capturedMs += slice.durationMs
      counted.waitingBytes += slice.data.size
      if (counted.waitingBytes > maxWaitingBytes && started.state === 'recording') pause()
      progress()
      const taken = () => {
        release()
        counted.acknowledged++
        counted.acknowledgedMs += slice.durationMs
      }
      parts.add({ ...slice, taken }, into)
    }
    const pause = watchSlices(started, onSlice, progress)
    watchStop(started)
    started.addEventListener('error', (event: Partial<ErrorEvent>) => {
      // One that is given up may fail: another goes on.
      if (started === recorder && !isReturning) void fail(recorderFailed(event.error))
    })
    const onStop = () => {
      // Of a page that comes back it is what there was before, and not the end.
      if (started !== recorder || isReturning) return endPart(into)
      const isAsked = over.signal.aborted
      if (!isAsked) onSource()
      endPart(into, !isAsked || hasFailed)
      conclude()
    }
    started.addEventListener('stop', onStop, { once: true })
  }

  const halt = (one: MediaRecorder) =>
    stopRecorder(one, () => {
      if (one === recorder) void fail(recorderFailed(new Error('it does not stop')))
    })

  /** It is over; told once what was being made is there too, for the page to save. */
  async function fail(error: unknown): Promise<void> {
    hasFailed = true
    await halt(recorder)
    reject(error)
  }

  const endPart = (done: Part, isInterrupted?: boolean) =>
    parts.end(done, isInterrupted || cutOff.has(done) || hasLost(source) ? 'interrupted' : 'complete')

  /** The page was frozen, and runs again. */
  async function comeBack(): Promise<void> {
    if (isReturning || recorder.state === 'inactive') return
    isReturning = true
    cutOff.add(part)
    // A stream that comes only after the recording is closed at once.
    if (reopen && hasLost(sourceOf(given))) {
      const another = unlessAborted(over.signal, () => reopened(reopen, finished))
      given = (await another.catch(() => undefined)) ?? given
    }
    isReturning = false
    source = sourceOf(given)
    if (over.signal.aborted || hasFailed || isGone(source)) return stopNow()
    watching.abort()
    watching = watch()
    const { next, ended } = parts.afterEnd(part)
    goOnIn(next, ended)
    progress()
  }

  /** The page was frozen, and there is nothing to go on with. */
  const stopNow = () => void (recorder.state === 'inactive' ? conclude() : halt(recorder))

  function conclude(): void {
    over.abort()
    void parts.allEnded().then(resolve, reject)
  }

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
          seeSource()
          over.abort()
        }
        // What comes back finds that it is over.
        if (!isReturning) halt(recorder)
        return finished
      })
    },
  }
}
