import type { Group, Holdfast, RecordingSession, SessionOptions } from '../api.ts'
import {
  record,
  supportedMimeType,
  type Recording,
  type RecordOptions,
  type RecordProgress,
} from '../capture/record.ts'
import { isGone } from '../capture/source.ts'
import type { SessionId } from '../protocol/ids.ts'
import { callListener } from '../call-listener.ts'
import { unlessAborted } from '../protocol/unless-aborted.ts'
import { HoldfastElement, settable } from './base.ts'
import { openCamera, type Source } from './camera.ts'
import { setAttributes, setText } from './dom.ts'
import { dismissButton, hideNotice, showNotice, type Explanation } from './explain.ts'
import { formatClock, formatWait } from './format.ts'
import { recorderView, type RecorderView } from './recorder-view.ts'
import { RECORDER } from './styles.ts'
import { texts } from './texts.ts'
import { Unkept, unkeptRecordings } from './unkept.ts'
import { guardUnsaved, saveAsFile } from './unsaved.ts'

/** What the recorder is doing. */
export type RecorderState = 'idle' | 'recording' | 'saving'

/** For whom is recorded; a function is asked at each press of Record, and gives nothing where nothing is to be recorded. */
export type RecorderGroups = readonly Group[] | (() => Promise<readonly Group[] | undefined>)

/** How often the clock is read, so that no second is skipped. */
const TICK_MS = 250

/** After Stop nobody is left with "Saving" alone for longer. */
const SAVING_MS = 700

/**
 * `<holdfast-recorder>`: a viewfinder, Record and Stop, and in words what is saved and what is not. Set `holdfast` and
 * `groups`. Taken out of the page while it records, or is about to, it stops; what the worker has not taken by then is
 * handed over all the same, and what cannot be kept is saved by `saveUnsaved` unasked, as nobody is left to ask.
 *
 * - Attributes that it sets: `data-state`: `idle`, `recording`, `saving`; `data-picture` and `data-sound`: `live`,
 *   `muted`, `lost`, `none`; `data-unsaved` while this page alone holds something of a recording that could not be kept,
 *   until the person has saved it or put it away: a page does not reload itself then.
 * - Parts: `camera`, `viewfinder`, `controls`, `record`, `stop`, `timer`, `saved`, `notice`.
 * - Event `holdfast-recording`, with `{ id }`, once it is recorded, and for each session that it goes on in;
 *   `holdfast-recorded`, with the `{ id }` that it ended in, once all of it is safe on this device; `holdfast-failure`
 *   where it could not be kept, which the element tells as well.
 */
export class HoldfastRecorder extends HoldfastElement {
  /** Who may open the recording. */
  declare groups?: RecorderGroups | undefined
  /**
   * What is recorded. Default: the camera, with its microphone where there is one. A text says why there is nothing to
   * record; undefined, that nothing is to be recorded. Asked with `isAgain` where the page was frozen and lost its
   * camera, and the recording is to go on: then nobody is to be kept waiting by a question. `recordOptions.reopen` is asked
   * instead where it is there.
   */
  declare openSource?: ((isAgain?: boolean) => Promise<Source | string | undefined>) | undefined
  /** What the session is started with. */
  declare sessionOptions?: Omit<SessionOptions, 'groups' | 'mimeType' | 'signal'> | undefined
  /** How it is recorded. */
  declare recordOptions?: Omit<RecordOptions, 'onProgress'> | undefined
  /**
   * How what only this page holds is saved, where a recording could not be kept and the person asks for it. Given are its
   * runs without a gap, the first with the file's header. They count as saved once it is through. Default: they are saved
   * as one file.
   */
  declare saveUnsaved?: ((runs: readonly Blob[]) => void | Promise<void>) | undefined

  /** There once it has come into a page. */
  #shown!: RecorderView
  #state: RecorderState = 'idle'
  #onStop = () => {}
  readonly #unkept = unkeptRecordings({
    save: (runs) => (this.saveUnsaved ?? saveAsFile)(runs),
    onFailure: (error) => this.fail(error, texts.notice.again),
    goOn: () => this.#goOn(),
    onCount: (count) => setAttributes(this, { 'data-unsaved': count > 0 }),
  })

  /** What the recorder is doing now. */
  get state(): RecorderState {
    return this.#state
  }

  /**
   * As a press of Record; resolves when the recording is over, or was not begun. Does nothing while one is made, and out
   * of a page. What `groups` and `openSource` give after `stop()` has given it up is not recorded, and closed.
   */
  async record(): Promise<void> {
    const { holdfast } = this
    // Record is there while nothing is made.
    if (!holdfast || !this.isConnected || this.#shown.start.hidden) return
    hideNotice(this.#shown.notice)
    const givenUp = new AbortController()
    const { signal } = givenUp
    this.#onStop = () => givenUp.abort()
    this.#showStop()
    try {
      // What the app is asked may never answer.
      await unlessAborted(signal, () => this.#recordOnce(holdfast, signal))
    } catch (thrown) {
      if (signal.aborted) return
      const cause = thrown instanceof Unkept ? thrown.cause : thrown
      this.say('')
      this.#showFailure(thrown, this.report(cause, texts.recorder.failedNext))
    } finally {
      this.#onStop = () => {}
      this.#showIdle()
    }
  }

  /** As a press of Stop; one that is about to record does not begin. */
  stop(): void {
    this.#onStop()
  }

  protected override css(): string {
    return RECORDER
  }

  protected override build(root: ShadowRoot): void {
    const view = recorderView(this)
    this.#shown = view
    // The second click of a double one on either is none on the other, which then lies under it.
    view.start.addEventListener('click', ({ detail }) => detail > 1 || void this.record())
    view.stop.addEventListener('click', ({ detail }) => detail > 1 || this.#onStop())
    // Nor is a key that is held down pressed again.
    view.camera.addEventListener('keydown', (event) => {
      if (event.repeat && event.key === 'Enter') event.preventDefault()
    })
    root.append(view.camera, view.notice)
    this.#setState('idle')
  }

  /** Nothing of the state is shown here, so it is not asked for. */
  protected override connected(_holdfast: Holdfast, signal: AbortSignal): void {
    const { start } = this.#shown
    start.disabled = false
    signal.addEventListener('abort', () => (start.disabled = true))
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    // Only moved, it is there again at once.
    queueMicrotask(() => {
      if (this.isConnected) return
      this.#onStop()
      void this.#unkept.saveUnasked()
    })
  }

  /** The signal aborts where it is given up before anything is recorded. */
  async #recordOnce(holdfast: Holdfast, signal: AbortSignal): Promise<void> {
    const mimeType = supportedMimeType()
    if (mimeType === undefined) throw new Error(texts.recorder.unsupported)
    const asked = this.groups ?? []
    const groups = typeof asked === 'function' ? await asked() : asked
    signal.throwIfAborted()
    if (!groups) return
    if (groups.length === 0) return this.#notify(texts.recorder.noGroup)
    const source = await this.#open(false)
    if (!source) return
    if (typeof source === 'string') return this.#notify({ what: source, next: '' })
    const sources = [source]
    try {
      signal.throwIfAborted()
      const session = await this.#startSession(source, groups, mimeType, holdfast, signal)
      await this.#recordInto(session, sources, source.stream, mimeType)
    } finally {
      for (const one of sources.splice(0)) callListener((each) => each.close(), one)
    }
  }

  #open(isAgain: boolean): Promise<Source | string | undefined> {
    return this.openSource?.(isAgain) ?? openCamera()
  }

  /** What was recorded from is gone: the same again, where there is such. */
  async #reopen(sources: Source[]): Promise<MediaStream> {
    const { reopen } = this.recordOptions ?? {}
    const source = reopen ? { ...sources[0], stream: await reopen(), close() {} } : await this.#open(true)
    if (typeof source !== 'object') throw new Error(source ?? texts.source.noCamera)
    // Over meanwhile, and all are closed.
    if (sources.length === 0) source.close()
    else {
      sources.push(source)
      // Stopped meanwhile, nothing is recorded from it.
      if (this.state === 'recording') this.#shown.showSource(source)
    }
    return source.stream
  }

  async #startSession(
    source: Source,
    groups: readonly Group[],
    mimeType: string,
    holdfast: Holdfast,
    signal: AbortSignal,
  ): Promise<RecordingSession> {
    this.#shown.showSource(source)
    const session = await holdfast.startSession({ ...this.sessionOptions, groups, mimeType, signal })
    if (!signal.aborted) return session
    // Given up with the answer on its way: it is there, and empty. Nobody waits for it to go.
    session
      .end()
      .then(({ id }) => holdfast.discard(id))
      .catch(() => undefined)
    throw signal.reason
  }

  async #recordInto(
    session: RecordingSession,
    sources: Source[],
    stream: MediaStream,
    mimeType: string,
  ): Promise<void> {
    let last = session.id
    let progress: RecordProgress = {
      captured: 0,
      acknowledged: 0,
      capturedMs: 0,
      acknowledgedMs: 0,
      waitingBytes: 0,
      stalledBy: undefined,
      paused: false,
      source: { video: 'live', audio: 'live' },
    }
    let isOver = false
    const leave = guardUnsaved(() => progress.captured > progress.acknowledged)
    let hide = () => {}
    try {
      const recording = recordOrEnd(session, stream, mimeType, {
        ...this.recordOptions,
        reopen: () => this.#reopen(sources),
        isTestPicture: (stream) =>
          this.recordOptions?.isTestPicture?.(stream) ??
          sources.some((source) => source.stream === stream && source.isTestPicture),
        onContinued: (next) => {
          callListener(this.recordOptions?.onContinued, next)
          last = next.session.id
          this.tell('holdfast-recording', { id: last } satisfies { id: SessionId })
          // After Stop it says there what is not saved.
          if (this.state === 'recording') this.#notify(texts.recorder.continued(next.before !== undefined))
        },
        onProgress: (next) => {
          progress = next
          // What waits in this page may be refused again and again.
          if (!isOver) this.#shown.showProgress(next)
        },
      })
      hide = this.#showRecording(recording, () => progress)
      // Only now: whoever is told may stop it at once.
      this.tell('holdfast-recording', { id: last } satisfies { id: SessionId })
      await recording.finished.catch((thrown: unknown) => {
        throw new Unkept(thrown, () => recording.unsavedRuns())
      })
      hideNotice(this.#shown.notice)
      this.say(texts.recorder.stopped(formatClock(progress.acknowledgedMs)))
      const { gone, goneNext } = texts.sourceState
      // It is over, and nobody had pressed Stop.
      if (isGone(progress.source)) this.#notify({ what: gone, next: goneNext })
      this.tell('holdfast-recorded', { id: last } satisfies { id: SessionId })
    } finally {
      isOver = true
      hide()
      leave()
    }
  }

  #showFailure(thrown: unknown, why: Explanation): void {
    const { notice } = this.#shown
    if (thrown instanceof Unkept && thrown.unsaved().length > 0) {
      hideNotice(notice)
      const own = this.#unkept.show(why, thrown.unsaved)
      notice.after(own)
      if (!this.isConnected) return void this.#unkept.saveUnasked()
      return bringIntoSight(own)
    }
    this.#notify(why)
  }

  #notify(explanation: Explanation): void {
    const { notice } = this.#shown
    const dismiss = dismissButton(() => {
      hideNotice(notice)
      this.#goOn()
    })
    showNotice(notice, explanation, dismiss)
    bringIntoSight(notice)
  }

  /** Whoever has put something away has the shutter under the same finger. */
  readonly #goOn = () => {
    const { start, stop } = this.#shown
    ;(stop.hidden ? start : stop).focus({ preventScroll: true })
  }

  /** @returns stops the clock */
  #showRecording(recording: Recording, progressNow: () => RecordProgress): () => void {
    const { notice, stop, stopLabel, showLength, showProgress } = this.#shown
    // By a clock that nobody sets.
    const startedAt = performance.now()
    const showTime = () => {
      const progress = progressNow()
      const lengthMs = performance.now() - startedAt
      showLength(lengthMs)
      // Until it gives something, the recorder alone has all of it.
      if (!progress.captured) showProgress({ ...progress, capturedMs: lengthMs })
    }
    /** Once, and only after Stop: what is safe, what is not, and a way to take that along. */
    const showUnsaved = () => {
      const { captured, acknowledged, capturedMs, acknowledgedMs } = progressNow()
      if (captured === acknowledged) return
      clearInterval(clock)
      showNotice(
        notice,
        texts.recorder.stillSaving(formatClock(acknowledgedMs), formatWait(capturedMs - acknowledgedMs)),
        this.#unkept.saveButton(() => recording.unsavedRuns()),
      )
    }
    showTime()
    let clock = setInterval(showTime, TICK_MS)
    this.#setState('recording')
    this.#showStop()
    this.#onStop = () => {
      this.#onStop = () => {}
      clearInterval(clock)
      clock = setInterval(showUnsaved, SAVING_MS)
      stop.disabled = true
      setText(stopLabel, texts.recorder.saving)
      this.#setState('saving')
      // A failure to stop is reported through `finished`.
      recording.stop().catch(() => undefined)
    }
    this.say(texts.state.recording)
    return () => clearInterval(clock)
  }

  /** From the press of Record on: what the app is asked may never answer. A dialog of its gives the focus back to Stop. */
  #showStop(): void {
    const { start, stop } = this.#shown
    stop.disabled = false
    this.#swap(start, stop)
  }

  /** Whoever presses one goes on with the other in its place; some browsers focus nothing that is clicked. */
  #swap(gone: HTMLElement, there: HTMLElement): void {
    const wasThere = this.focused === gone || document.activeElement === document.body
    gone.hidden = true
    there.hidden = false
    if (wasThere) there.focus({ preventScroll: true })
  }

  #showIdle(): void {
    const { start, stop, showNothing } = this.#shown
    showNothing()
    this.#setState('idle')
    this.#swap(stop, start)
  }

  #setState(state: RecorderState): void {
    this.#state = state
    setAttributes(this, { 'data-state': state })
  }
}

settable(HoldfastRecorder.prototype, 'groups', 'openSource', 'sessionOptions', 'recordOptions', 'saveUnsaved')

/** Records; where that cannot begin, the session is over, as nobody else would end it. */
function recordOrEnd(
  session: RecordingSession,
  stream: MediaStream,
  mimeType: string,
  options: RecordOptions,
): Recording {
  try {
    return record(session, stream, mimeType, options)
  } catch (error) {
    session.end({ how: 'interrupted' }).catch(() => undefined)
    throw error
  }
}

/** Once the page has taken up all that changes with it. */
const bringIntoSight = (element: HTMLElement) =>
  void requestAnimationFrame(() => element.scrollIntoView({ block: 'nearest' }))
