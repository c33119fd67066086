import type { RecordProgress, SourceState } from '../capture/record.ts'
import type { Source } from './camera.ts'
import { h, setAttributes, setText } from './dom.ts'
import { explain } from './explain.ts'
import { formatBytes, formatClock, formatWait } from './format.ts'
import { sourceWords } from './source-words.ts'
import { texts } from './texts.ts'

/** A viewfinder with its captions, the two buttons and the clock. */
export type RecorderView = ReturnType<typeof recorderView>

/** Where a recorder says what went wrong; hidden until there is something. */
export const newNotice = () =>
  h('div', {
    class: 'notice notice-alert',
    part: 'notice',
    role: 'alert',
    hidden: true,
  })

/** A recorder as it is while nothing is recorded. @param host has the states as attributes, for the page's styles */
export function recorderView(host: HTMLElement) {
  const words = texts.recorder
  const ring = () => h('span', { class: 'shutter-ring', 'aria-hidden': 'true' })
  const preview = h('video', { id: 'preview', playsinline: true, 'aria-label': words.preview, hidden: true })
  // The attribute alone mutes only what is parsed.
  preview.muted = true
  const hint = h('p', { class: 'hint' }, words.hint)
  // What is empty is not in sight.
  const badge = h('p', { class: 'badge' })
  const sourceState = h('p', { class: 'caption caption-alert', role: 'alert' })
  const note = h('p', { class: 'caption' })
  const stalledNote = h('p', { class: 'caption', role: 'status' })
  const timer = h('p', {
    class: 'timer',
    part: 'timer',
    role: 'timer',
    'aria-label': words.length,
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
    h('div', { class: 'viewfinder', part: 'viewfinder' }, preview, hint, badge),
    h(
      'div',
      { class: 'controls', part: 'controls' },
      // Wherever the buttons are, and over what is above them.
      h('div', { class: 'captions' }, sourceState, note, stalledNote),
      timer,
      start,
      stop,
      acks,
    ),
  )
  const showProgress = (progress: RecordProgress): void => {
    const { captured, acknowledged, capturedMs, acknowledgedMs } = progress
    // The first one is being made.
    const waiting = captured ? captured - acknowledged : 1
    const { allSaved, allSavedSpoken, notSaved, notSavedSpoken } = texts.recorder
    const saved = formatClock(acknowledgedMs)
    const unsaved = formatWait(capturedMs - acknowledgedMs)
    setAttributes(acks, {
      'data-captured': captured,
      'data-acknowledged': acknowledged,
      'data-waiting': waiting,
      'aria-label': waiting ? notSavedSpoken(unsaved) : allSavedSpoken(saved),
    })
    setText(acks, waiting ? notSaved(unsaved) : allSaved(saved))
    showStalled(progress)
    showSourceState(progress.source)
  }

  /** Over the picture, so that it is where the person looks, and nothing moves. */
  const showSourceState = (source: SourceState): void => {
    // An alert is told when its text changes.
    setText(sourceState, sourceWords(source))
    setAttributes(host, { 'data-picture': source.video, 'data-sound': source.audio })
  }

  /** Says why chunks are in this page alone, for as long as they are; or that there are none. */
  const showStalled = ({ stalledBy, paused, waitingBytes }: RecordProgress): void => {
    if (!stalledBy) return setText(stalledNote, '')
    const { what, next } = explain(stalledBy)
    const words =
      stalledBy.code === 'recorder-failed'
        ? texts.recorder.silent
        : texts.recorder.stalled(what, next, formatBytes(waitingBytes), paused)
    setText(stalledNote, words)
  }

  return {
    camera,
    notice,
    start,
    stop,
    stopLabel,
    showProgress,
    showSource({ stream, badge: sign, note: line }: Source): void {
      preview.srcObject = stream
      preview.hidden = false
      // A preview that may not play is no reason not to record.
      preview.play().catch(() => undefined)
      hint.hidden = true
      setText(badge, sign ?? '')
      setText(note, line ?? '')
    },
    showLength(lengthMs: number): void {
      setAttributes(timer, { 'data-seconds': Math.floor(lengthMs / 1000) })
      setText(timer, `● ${formatClock(lengthMs)}`)
    },
    showNothing(): void {
      preview.srcObject = null
      hint.hidden = false
      preview.hidden = true
      for (const words of [badge, note, sourceState, stalledNote, timer, acks]) setText(words, '')
      setText(stopLabel, texts.recorder.stop)
    },
  }
}
