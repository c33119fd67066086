import type { Group, Holdfast } from '../api.ts'
import {
  record,
  supportedMimeType,
  type Recording,
  type RecordProgress,
  type SourceState,
} from '../capture/record.ts'
import { isGone } from '../capture/source.ts'
import type { SessionId } from '../protocol/ids.ts'
import { announce } from './announce.ts'
import { openCamera, testPicture, type Source } from './camera.ts'
import { openDialog } from './dialog.ts'
import { button, byId, setAttributes, setText } from './dom.ts'
import { saveUnsaved } from './export-file.ts'
import { explain, hideNotice, showNotice } from './explain.ts'
import { formatBytes, formatClock, formatWait } from './format.ts'
import { groupToRecordFor } from './group-picker.ts'
import type { Settings } from './settings.ts'
import { sourceWords } from './source-words.ts'
import { texts } from './texts.ts'

interface Context {
  readonly holdfast: Holdfast
  readonly settings: Settings
  /** Told when a recording starts, with its id. */
  readonly onStart: (id: SessionId) => void
}

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

/** Makes the record button work. */
export function showRecorder(context: Context): void {
  const start = byId('record', HTMLButtonElement)
  let busy = false
  start.disabled = false
  // Not disabled meanwhile: a dialog gives focus back to the button that opened it.
  start.addEventListener('click', async () => {
    if (busy) return
    busy = true
    hideNotice(byId('record-notice', HTMLElement))
    try {
      await recordOnce(context)
    } catch (thrown) {
      showFailure(thrown)
    } finally {
      showIdle()
      busy = false
    }
  })
}

function showFailure(thrown: unknown): void {
  const notice = byId('record-notice', HTMLElement)
  announce(texts.recorder.failed)
  const unsaved = thrown instanceof Unkept ? thrown.unsaved : []
  const why = thrown instanceof Unkept ? thrown.cause : thrown
  showNotice(
    notice,
    explain(why, texts.recorder.failedNext),
    unsaved.length > 0 ? saveFileButton(() => unsaved) : undefined,
  )
  notice.scrollIntoView({ block: 'nearest' })
}

/** A recording that could not be kept, and what the page still holds of it. */
class Unkept extends Error {
  readonly unsaved: readonly Blob[]
  constructor(cause: unknown, unsaved: readonly Blob[]) {
    super('Not kept', { cause })
    this.unsaved = unsaved
  }
}

/** Saves what only this page holds, as a file. */
const saveFileButton = (unsaved: () => readonly Blob[]): HTMLButtonElement =>
  button(texts.recorder.saveFile, () => void saveUnsaved(unsaved()), { 'data-testid': 'save-unsaved' })

async function recordOnce(context: Context): Promise<void> {
  const mimeType = supportedMimeType()
  if (mimeType === undefined) throw new Error(texts.recorder.unsupported)
  const group = await groupToRecordFor()
  if (!group) return
  const source = await openSource(context.settings.forceTestPicture)
  if (!source) return
  try {
    await recordFrom(source, group, mimeType, context)
  } finally {
    source.close()
  }
}

/** The camera or, where there is none and the person says so, a test picture. */
async function openSource(forceTestPicture: boolean): Promise<Source | undefined> {
  if (forceTestPicture) return testPicture(texts.source.testPictureWanted)
  for (;;) {
    const opened = await openCamera()
    if (typeof opened !== 'string') return opened
    setText(byId('no-camera-why', HTMLElement), opened)
    const answer = await openDialog(byId('no-camera', HTMLDialogElement))
    if (answer !== 'again') return answer === 'test' ? testPicture(texts.source.testPicture) : undefined
  }
}

async function recordFrom(source: Source, group: Group, mimeType: string, context: Context): Promise<void> {
  showSource(source)
  const { seal, atLeast } = context.settings
  const session = await context.holdfast.startSession({
    groups: [{ publicKey: group.publicKey }],
    mimeType,
    seal,
    ...(atLeast !== undefined && { atLeast }),
  })
  context.onStart(session.id)
  let progress = NOTHING
  const leave = guardUnsaved(() => progress.captured > progress.acknowledged)
  const recording = record(session, source.stream, mimeType, {
    timesliceMs: context.settings.timesliceMs,
    onContinued({ session: next, before }) {
      context.onStart(next.id)
      showContinued(before !== undefined)
    },
    onProgress(next) {
      progress = next
      showProgress(next)
    },
  })
  const hide = showRecording(recording, Date.now(), () => progress)
  try {
    await recording.finished.catch((thrown: unknown) => {
      throw new Unkept(thrown, recording.unsavedRuns())
    })
    hideNotice(byId('record-notice', HTMLElement))
    announce(texts.recorder.stopped(formatClock(progress.acknowledgedMs)))
    if (isGone(progress.source)) showGone()
  } finally {
    hide()
    leave()
  }
}

/** Asks before the tab closes, but only while some bytes are in this page alone. */
function guardUnsaved(unsaved: () => boolean): () => void {
  const ask = (event: BeforeUnloadEvent) => {
    if (unsaved()) event.preventDefault()
  }
  addEventListener('beforeunload', ask)
  return () => removeEventListener('beforeunload', ask)
}

/** The page was stopped, or the site's data were cleared, and the recording goes on in another. */
function showContinued(isKept: boolean): void {
  const { what, next } = texts.recorder.continued(isKept)
  showNotice(byId('record-notice', HTMLElement), { what, next })
}

/** The recording is over, and nobody had pressed Stop. */
function showGone(): void {
  const { gone: what, goneNext: next } = texts.sourceState
  showNotice(byId('record-notice', HTMLElement), { what, next })
}

function showSource({ stream, kind, note }: Source): void {
  const preview = byId('preview', HTMLVideoElement)
  preview.srcObject = stream
  preview.hidden = false
  // A preview that may not play is no reason not to record.
  preview.play().catch(() => undefined)
  byId('viewfinder-hint', HTMLElement).hidden = true
  byId('source-badge', HTMLElement).hidden = kind === 'camera'
  const line = byId('source-note', HTMLElement)
  line.hidden = note === undefined
  setText(line, note ?? '')
}

/** @returns stops the clock and the button */
function showRecording(
  recording: Recording,
  startedAtMs: number,
  progressNow: () => RecordProgress,
): () => void {
  const shown = new AbortController()
  const [start, stop] = [byId('record', HTMLButtonElement), byId('stop', HTMLButtonElement)]
  const timer = byId('timer', HTMLElement)
  let stoppedAtMs: number | undefined
  const tick = () => {
    const lengthMs = (stoppedAtMs ?? Date.now()) - startedAtMs
    setAttributes(timer, { 'data-seconds': Math.floor(lengthMs / 1000) })
    setText(timer, `● ${formatClock(lengthMs)}`)
  }
  tick()
  showProgress(NOTHING)
  setState('recording')
  start.hidden = true
  stop.hidden = false
  stop.disabled = false
  stop.focus({ preventScroll: true })
  const save = () => {
    stoppedAtMs = Date.now()
    stop.disabled = true
    setText(byId('stop-label', HTMLElement), texts.recorder.saving)
    setState('saving')
    // A failure to stop is reported through `finished`.
    recording.stop().catch(() => undefined)
    setTimeout(() => {
      if (!shown.signal.aborted) showStillSaving(recording, progressNow())
    }, SAVING_MS)
  }
  stop.addEventListener('click', save, { once: true, signal: shown.signal })
  announce(texts.recorder.recording)
  const clock = setInterval(tick, TICK_MS)
  return () => {
    clearInterval(clock)
    shown.abort()
  }
}

/** What is safe, what is not, and a way to take that along. */
function showStillSaving(recording: Recording, { acknowledgedMs, capturedMs }: RecordProgress): void {
  const { stillSaving, stillSavingNext } = texts.recorder
  const what = stillSaving(formatClock(acknowledgedMs), formatWait(capturedMs - acknowledgedMs))
  showNotice(
    byId('record-notice', HTMLElement),
    { what, next: stillSavingNext },
    saveFileButton(() => recording.unsavedRuns()),
  )
}

function showProgress(progress: RecordProgress): void {
  const { captured, acknowledged, capturedMs, acknowledgedMs } = progress
  const waiting = captured - acknowledged
  const acks = byId('acks', HTMLElement)
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
  showHeldUp(progress)
  showSourceState(progress.source)
}

/** Over the picture, so that it is where the person looks, and nothing moves. */
function showSourceState(source: SourceState): void {
  const words = sourceWords(source)
  const line = byId('source-state', HTMLElement)
  // An alert is told when its text changes.
  setText(line, words)
  line.hidden = words === ''
  setAttributes(byId('camera', HTMLElement), {
    'data-picture': source.video,
    'data-sound': source.audio,
  })
}

/** Says why chunks are in this page alone, for as long as they are. */
function showHeldUp({ stalledBy, paused, waitingBytes }: RecordProgress): void {
  const line = byId('held-up', HTMLElement)
  line.hidden = stalledBy === undefined
  if (stalledBy === undefined) return
  const { what, next } = explain(stalledBy)
  setText(line, texts.recorder.heldUp(what, next, formatBytes(waitingBytes), paused))
}

function showIdle(): void {
  const [start, stop] = [byId('record', HTMLButtonElement), byId('stop', HTMLButtonElement)]
  const preview = byId('preview', HTMLVideoElement)
  preview.srcObject = null
  preview.hidden = true
  byId('viewfinder-hint', HTMLElement).hidden = false
  byId('source-badge', HTMLElement).hidden = true
  byId('source-note', HTMLElement).hidden = true
  byId('source-state', HTMLElement).hidden = true
  byId('held-up', HTMLElement).hidden = true
  setText(byId('stop-label', HTMLElement), texts.recorder.stop)
  setState('idle')
  const wasThere = !stop.hidden && [stop, document.body].some((element) => element === document.activeElement)
  start.hidden = false
  if (wasThere) start.focus({ preventScroll: true })
  stop.hidden = true
}

function setState(state: 'idle' | 'recording' | 'saving'): void {
  setAttributes(byId('camera', HTMLElement), { 'data-state': state })
  byId('timer', HTMLElement).hidden = state === 'idle'
  byId('acks', HTMLElement).hidden = state === 'idle'
}
