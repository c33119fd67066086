import type { Group, Holdfast, RecordingSession, SessionOptions } from '../api.ts'
import {
  record,
  supportedMimeType,
  type Recording,
  type RecordOptions,
  type RecordProgress,
  type SourceState,
} from '../capture/record.ts'
import { isGone } from '../capture/source.ts'
import type { SessionId } from '../protocol/ids.ts'
import { HoldfastElement } from './base.ts'
import { openCamera, type Source } from './camera.ts'
import { button, h, setAttributes, setText } from './dom.ts'
import { dismissButton, explain, hideNotice, showNotice, type Explanation } from './explain.ts'
import { formatBytes, formatClock, formatWait } from './format.ts'
import { guardUnsaved, saveAsFile } from './unsaved.ts'
import { sourceWords } from './source-words.ts'
import { RECORDER } from './styles.ts'
import { texts } from './texts.ts'

/** What the recorder is doing. */
export type RecorderState = 'idle' | 'recording' | 'saving'

/** For whom is recorded; a function is asked at each press of Record, and gives nothing where nothing is to be recorded. */
export type RecorderGroups = readonly Group[] | (() => Promise<readonly Group[] | undefined>)

const NOTHING: RecordProgress = {
  captured: 0,
  acknowledged: 0,
  capturedMs: 0,
  acknowledgedMs: 0,
  waitingBytes: 0,
  stalledBy: undefined,
  paused: false,
  source: { video: 'live', audio: 'live' },
}
/** How often the clock is read, so that no second is skipped. */
const TICK_MS = 250

/** After Stop nobody is left with "Saving" alone for longer. */
const SAVING_MS = 700

/** What only this page holds: a list of runs for each file. */
type Unsaved = readonly (readonly Blob[])[]

/** A recording that could not be kept, and what the page still holds of it: its last slice comes after the failure. */
class Unkept extends Error {
  readonly unsaved: () => Unsaved
  constructor(cause: unknown, unsaved: () => Unsaved) {
    super('Not kept', { cause })
    this.unsaved = unsaved
  }
}

/**
 * `<holdfast-recorder>`: a viewfinder, Record and Stop, and in words what is saved and what is not. Set `holdfast` and
 * `groups`. Taken out of the page while it records, or is about to, it stops.
 *
 * - Attributes that it sets: `data-state`: `idle`, `recording`, `saving`; `data-picture` and `data-sound`: `live`,
 *   `muted`, `lost`, `none`; `data-unsaved` while this page alone holds something of a recording that could not be kept,
 *   until the person has saved it or put it away: a page does not reload itself then.
 * - Parts: `camera`, `viewfinder`, `controls`, `record`, `stop`, `timer`, `saved`, `notice`.
 * - Event `holdfast-recording`, with `{ id }`, once the session is there, and for each that it goes on in;
 *   `holdfast-recorded`, with the `{ id }` that it ended in, once all of it is safe on this device; `holdfast-failure`
 *   where it could not be kept, which the element tells as well.
 */
export class HoldfastRecorder extends HoldfastElement {
  /** Who may open the recording. */
  declare groups?: RecorderGroups | undefined
  /**
   * What is recorded. Default: the camera, with its microphone where there is one. A text says why there is nothing to
   * record; undefined, that nothing is to be recorded.
   */
  declare openSource?: (() => Promise<Source | string | undefined>) | undefined
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

  #parts: ReturnType<typeof recorderParts> | undefined
  #busy = false
  #onStop = () => {}
  /** Recordings that could not be kept, and that nobody has saved or put away. */
  #unkept = 0

  /** What the recorder is doing now. */
  get state(): RecorderState {
    const state = this.dataset['state']
    return state === 'recording' || state === 'saving' ? state : 'idle'
  }

  /**
   * As a press of Record; resolves when the recording is over, or was not begun. Does nothing while one is made, and out
   * of a page.
   */
  async record(): Promise<void> {
    const { holdfast } = this
    // Not disabled meanwhile: a dialog gives focus back to the button that opened it.
    if (this.#busy || !holdfast || !this.#parts || !this.isConnected) return
    this.#busy = true
    hideNotice(this.#parts.notice)
    const givenUp = new AbortController()
    this.#onStop = () => givenUp.abort()
    try {
      await this.#recordOnce(holdfast, givenUp.signal)
    } catch (thrown) {
      if (givenUp.signal.aborted) return
      this.#showFailure(thrown)
      this.fail(thrown instanceof Unkept ? thrown.cause : thrown)
    } finally {
      this.#onStop = () => {}
      this.#showIdle()
      this.#busy = false
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
    const parts = recorderParts()
    this.#parts = parts
    parts.start.addEventListener('click', () => void this.record())
    parts.stop.addEventListener('click', () => this.#onStop())
    root.append(parts.camera, parts.notice)
    this.#setState('idle')
  }

  protected override connected(): void {
    if (this.#parts) this.#parts.start.disabled = false
  }

  protected override see(): void {}

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    // Only moved, it is there again at once.
    queueMicrotask(() => this.isConnected || this.#onStop())
  }

  get #shown() {
    if (!this.#parts) throw new Error('The element is in no page.')
    return this.#parts
  }

  /** The signal aborts where it is given up before anything is recorded. */
  async #recordOnce(holdfast: Holdfast, signal: AbortSignal): Promise<void> {
    const { notice } = this.#shown
    const mimeType = supportedMimeType()
    if (mimeType === undefined) throw new Error(texts.recorder.unsupported)
    const asked = this.groups ?? []
    const groups = typeof asked === 'function' ? await asked() : asked
    signal.throwIfAborted()
    if (!groups) return
    if (groups.length === 0)
      return showNotice(notice, { what: texts.recorder.noGroup, next: texts.recorder.noGroupNext })
    const source = await (this.openSource ?? openCamera)()
    if (source === undefined) return
    if (typeof source === 'string') return showNotice(notice, { what: source, next: '' })
    try {
      signal.throwIfAborted()
      const session = await this.#startSession(source, groups, mimeType, holdfast, signal)
      await this.#recordInto(session, source, mimeType)
    } finally {
      source.close()
    }
  }

  async #startSession(
    source: Source,
    groups: readonly Group[],
    mimeType: string,
    holdfast: Holdfast,
    signal: AbortSignal,
  ): Promise<RecordingSession> {
    this.#showSource(source)
    const session = await holdfast.startSession({ ...this.sessionOptions, groups, mimeType, signal })
    if (!signal.aborted) return session
    // Given up with the answer on its way: it is there, and empty. Nobody waits for it to go.
    const forget = () => holdfast.discard(session.id, { confirm: 'discard-unconfirmed' })
    session
      .end({ how: 'interrupted' })
      .then(forget)
      .catch(() => undefined)
    throw signal.reason
  }

  async #recordInto(session: RecordingSession, source: Source, mimeType: string): Promise<void> {
    this.tell('holdfast-recording', { id: session.id } satisfies { id: SessionId })
    let last = session.id
    let progress = NOTHING
    const leave = guardUnsaved(() => progress.captured > progress.acknowledged)
    let hide = () => {}
    try {
      const recording = recordOrEnd(session, source.stream, mimeType, {
        ...this.recordOptions,
        onContinued: (next) => {
          this.recordOptions?.onContinued?.(next)
          last = next.session.id
          this.tell('holdfast-recording', { id: last } satisfies { id: SessionId })
          // After Stop it says there what is not saved.
          if (this.state === 'recording')
            showNotice(this.#shown.notice, texts.recorder.continued(next.before !== undefined))
        },
        onProgress: (next) => {
          progress = next
          this.#showProgress(next)
        },
      })
      hide = this.#showRecording(recording, Date.now(), () => progress)
      await recording.finished.catch((thrown: unknown) => {
        throw new Unkept(thrown, () => recording.unsavedRuns())
      })
      hideNotice(this.#shown.notice)
      this.say(texts.recorder.stopped(formatClock(progress.acknowledgedMs)))
      if (isGone(progress.source)) this.#showGone()
      this.tell('holdfast-recorded', { id: last } satisfies { id: SessionId })
    } finally {
      hide()
      leave()
    }
  }

  #showFailure(thrown: unknown): void {
    this.say(texts.recorder.failed)
    const why = explain(thrown instanceof Unkept ? thrown.cause : thrown, texts.recorder.failedNext)
    if (thrown instanceof Unkept && thrown.unsaved().length > 0) return this.#showUnkept(why, thrown.unsaved)
    const { notice } = this.#shown
    showNotice(notice, why)
    notice.scrollIntoView({ block: 'nearest' })
  }

  /** In a notice of its own, which the next recording leaves there: nothing else holds these slices. */
  #showUnkept(why: Explanation, unsaved: () => Unsaved): void {
    hideNotice(this.#shown.notice)
    const unguard = guardUnsaved(() => true)
    this.#countUnkept(1)
    let isHeld = true
    const letGo = () => {
      if (!isHeld) return
      isHeld = false
      unguard()
      this.#countUnkept(-1)
    }
    const notice = newNotice()
    // After Save it stays until it is put away: a download may be refused, too.
    showNotice(notice, why, this.#saveFileButton(unsaved, letGo))
    notice.append(
      dismissButton(() => {
        letGo()
        notice.remove()
      }),
    )
    this.#shown.notice.after(notice)
    notice.scrollIntoView({ block: 'nearest' })
  }

  #countUnkept(by: 1 | -1): void {
    this.#unkept += by
    setAttributes(this, { 'data-unsaved': this.#unkept > 0 })
  }

  /** Saves what only this page holds. */
  #saveFileButton(unsaved: () => Unsaved, onSaved = () => {}): HTMLButtonElement {
    const save = async () => {
      try {
        for (const runs of unsaved()) await (this.saveUnsaved ?? saveAsFile)(runs)
        onSaved()
      } catch (error) {
        this.fail(error)
      }
    }
    return button(texts.recorder.saveFile, () => void save(), { 'data-testid': 'save-unsaved' })
  }

  /** The recording is over, and nobody had pressed Stop. */
  #showGone(): void {
    const { gone: what, goneNext: next } = texts.sourceState
    showNotice(this.#shown.notice, { what, next })
  }

  #showSource({ stream, badge, note }: Source): void {
    const { preview, hint, badge: sign, note: line } = this.#shown
    preview.srcObject = stream
    preview.hidden = false
    // A preview that may not play is no reason not to record.
    preview.play().catch(() => undefined)
    hint.hidden = true
    sign.hidden = badge === undefined
    setText(sign, badge ?? '')
    line.hidden = note === undefined
    setText(line, note ?? '')
  }

  /** @returns stops the clock and the button */
  #showRecording(recording: Recording, startedAtMs: number, progressNow: () => RecordProgress): () => void {
    const { start, stop, stopLabel, timer } = this.#shown
    let isOver = false
    let stoppedAtMs: number | undefined
    const tick = () => {
      const lengthMs = (stoppedAtMs ?? Date.now()) - startedAtMs
      setAttributes(timer, { 'data-seconds': Math.floor(lengthMs / 1000) })
      setText(timer, `● ${formatClock(lengthMs)}`)
    }
    tick()
    this.#showProgress(NOTHING)
    this.#setState('recording')
    start.hidden = true
    stop.hidden = false
    stop.disabled = false
    stop.focus({ preventScroll: true })
    this.#onStop = () => {
      this.#onStop = () => {}
      stoppedAtMs = Date.now()
      stop.disabled = true
      setText(stopLabel, texts.recorder.saving)
      this.#setState('saving')
      // A failure to stop is reported through `finished`.
      recording.stop().catch(() => undefined)
      setTimeout(() => {
        if (!isOver) this.#showStillSaving(recording, progressNow())
      }, SAVING_MS)
    }
    this.say(texts.recorder.recording)
    const clock = setInterval(tick, TICK_MS)
    return () => {
      isOver = true
      this.#onStop = () => {}
      clearInterval(clock)
    }
  }

  /** What is safe, what is not, and a way to take that along. */
  #showStillSaving(recording: Recording, { acknowledgedMs, capturedMs }: RecordProgress): void {
    const { stillSaving, stillSavingNext } = texts.recorder
    const what = stillSaving(formatClock(acknowledgedMs), formatWait(capturedMs - acknowledgedMs))
    showNotice(
      this.#shown.notice,
      { what, next: stillSavingNext },
      this.#saveFileButton(() => recording.unsavedRuns()),
    )
  }

  #showProgress(progress: RecordProgress): void {
    const { acks } = this.#shown
    const { captured, acknowledged, capturedMs, acknowledgedMs } = progress
    const waiting = captured - acknowledged
    const { allSaved, allSavedSpoken, notSaved, notSavedSpoken } = texts.recorder
    const saved = formatClock(acknowledgedMs)
    const unsaved = formatClock(capturedMs - acknowledgedMs)
    setAttributes(acks, {
      'data-captured': captured,
      'data-acknowledged': acknowledged,
      'data-waiting': waiting,
      'aria-label': waiting > 0 ? notSavedSpoken(unsaved) : allSavedSpoken(saved),
    })
    setText(acks, waiting > 0 ? notSaved(unsaved) : allSaved(saved))
    this.#showHeldUp(progress)
    this.#showSourceState(progress.source)
  }

  /** Over the picture, so that it is where the person looks, and nothing moves. */
  #showSourceState(source: SourceState): void {
    const { sourceState } = this.#shown
    const words = sourceWords(source)
    // An alert is told when its text changes.
    setText(sourceState, words)
    sourceState.hidden = words === ''
    setAttributes(this, { 'data-picture': source.video, 'data-sound': source.audio })
  }

  /** Says why chunks are in this page alone, for as long as they are. */
  #showHeldUp({ stalledBy, paused, waitingBytes }: RecordProgress): void {
    const { heldUp } = this.#shown
    heldUp.hidden = stalledBy === undefined
    if (stalledBy === undefined) return
    const { what, next } = explain(stalledBy)
    setText(heldUp, texts.recorder.heldUp(what, next, formatBytes(waitingBytes), paused))
  }

  #showIdle(): void {
    const { start, stop, stopLabel, preview, hint, badge, note, sourceState, heldUp } = this.#shown
    preview.srcObject = null
    hint.hidden = false
    for (const element of [preview, badge, note, sourceState, heldUp]) element.hidden = true
    setText(stopLabel, texts.recorder.stop)
    this.#setState('idle')
    const wasThere = !stop.hidden && (this.focused === stop || document.activeElement === document.body)
    start.hidden = false
    if (wasThere) start.focus({ preventScroll: true })
    stop.hidden = true
  }

  #setState(state: RecorderState): void {
    const { timer, acks } = this.#shown
    setAttributes(this, { 'data-state': state })
    timer.hidden = acks.hidden = state === 'idle'
  }
}

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

const newNotice = () =>
  h('div', {
    class: 'notice notice-alert',
    part: 'notice',
    role: 'alert',
    'data-testid': 'record-notice',
    hidden: true,
  })

/** The parts of a recorder, as they are while nothing is recorded. */
function recorderParts() {
  const words = texts.recorder
  const ring = () => h('span', { class: 'shutter-ring', 'aria-hidden': 'true' })
  const preview = h('video', { id: 'preview', playsinline: true, 'aria-label': words.preview, hidden: true })
  // The attribute alone mutes only what is parsed.
  preview.muted = true
  const hint = h('p', { class: 'hint' }, words.hint)
  const badge = h('p', { class: 'badge', hidden: true })
  const caption = (attributes: Parameters<typeof h>[1]) =>
    h('p', { class: 'caption', hidden: true, ...attributes })
  const sourceState = caption({
    class: 'caption caption-alert',
    role: 'alert',
    'data-testid': 'source-state',
  })
  const note = caption({ 'data-testid': 'source-note' })
  const heldUp = caption({ role: 'status', 'data-testid': 'held-up' })
  const timer = h('p', {
    class: 'timer',
    part: 'timer',
    role: 'timer',
    'aria-label': words.length,
    'data-testid': 'timer',
  })
  const shutter = { type: 'button', class: 'shutter' }
  const start = h(
    'button',
    { ...shutter, part: 'record', 'data-testid': 'record-button', disabled: true },
    ring(),
    words.record,
  )
  const stopLabel = h('span', {}, words.stop)
  const stop = h(
    'button',
    { ...shutter, id: 'stop', part: 'stop', 'data-testid': 'stop-button', hidden: true },
    ring(),
    stopLabel,
  )
  const acks = h('p', { class: 'acks', part: 'saved', role: 'img', 'data-testid': 'ack-count' })
  const notice = newNotice()
  const camera = h(
    'div',
    { class: 'camera', part: 'camera' },
    h(
      'div',
      { class: 'viewfinder', part: 'viewfinder' },
      preview,
      hint,
      badge,
      h('div', { class: 'captions' }, sourceState, note, heldUp),
    ),
    h('div', { class: 'controls', part: 'controls' }, timer, start, stop, acks),
  )
  return {
    camera,
    notice,
    preview,
    hint,
    badge,
    sourceState,
    note,
    heldUp,
    timer,
    start,
    stop,
    stopLabel,
    acks,
  }
}
