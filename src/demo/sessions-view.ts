import type { Holdfast } from '../api.ts'
import type { SessionSnapshot, Snapshot } from '../protocol/snapshot.ts'
import { button, byId, h, keyedList, setAttributes, setText, type View } from './dom.ts'
import { count, formatClock, formatMoment } from './format.ts'
import { icon, setIcon } from './icon.ts'
import { resumeButton, type Actions } from './session-actions.ts'
import { sessionDetails } from './session-details.ts'
import { progressWords, sessionStatus } from './session-status.ts'
import { isConfirmed, needsResume, stillNeeds, tally } from './still-needs.ts'
import { countsDown, ticker } from './ticker.ts'
import { uploadProgress } from './upload-progress.ts'
import { verifyPanel } from './verify-panel.ts'

/** Lists every session that the device knows, newest first. */
export function showSessions(holdfast: Holdfast, actions: Actions) {
  let shown: readonly SessionSnapshot[] = []
  const drawList = keyedList(
    byId('sessions', HTMLElement),
    (session: SessionSnapshot) => session.id,
    (session) => sessionView(session, holdfast, actions),
  )
  const setTicking = ticker(() => draw())
  const draw = () => {
    drawList(shown)
    setTicking(shown.some(countsDown))
  }
  return ({ sessions }: Snapshot): void => {
    shown = sessions
    byId('sessions-empty', HTMLElement).hidden = sessions.length > 0
    draw()
  }
}

function sessionView(first: SessionSnapshot, holdfast: Holdfast, actions: Actions): View<SessionSnapshot> {
  let session = first
  const titleId = `title-${first.id}`
  const symbol = icon('dot')
  const words = h('span', {})
  const when = h('p', { class: 'session-when' })
  const needs = h('p', { class: 'session-needs', 'data-testid': 'still-needs' })
  const bar = progressBar()
  const upload = uploadProgress()
  const resume = resumeButton(first.id, actions)
  const pause = button('Pause', () => actions.pause(first.id), { 'data-testid': 'pause-button' })
  const discard = button('Discard', () => actions.discard(session), {
    class: 'plain danger',
    'data-testid': 'discard-button',
  })
  const panel = verifyPanel(() => session)
  const verify = button('Verify and play', () => void panel.run(verify), {
    class: 'soft',
    'data-testid': 'verify-button',
  })
  const details = sessionDetails(first, holdfast)
  const element = h(
    'li',
    { class: 'session', 'data-testid': 'session', 'data-session-id': first.id, 'aria-labelledby': titleId },
    h('div', { class: 'session-head' }, h('h3', { id: titleId, class: 'status' }, symbol, words), when),
    bar.element,
    upload.element,
    needs,
    h('div', { class: 'row session-actions' }, verify, resume.element, pause, discard),
    panel.element,
    details.element,
  )
  return {
    element,
    update(next) {
      session = next
      const head = sessionStatus(next)
      setIcon(symbol, head.icon)
      setText(words, head.words)
      setText(when, whenAndHowMuch(next))
      setText(needs, stillNeeds(next))
      needs.hidden = isConfirmed(next) || next.ending === 'recording'
      bar.update(next)
      upload.update(next)
      resume.update(next)
      pause.hidden = isConfirmed(next) || next.ending === 'recording' || needsResume(next)
      discard.hidden = next.ending === 'recording'
      verify.hidden = !next.anchor
      details.update(next)
      setAttributes(element, {
        'data-ending': next.ending,
        'data-upload': next.upload,
        'data-paused': String(next.paused),
        'data-parked': next.parked,
        'data-anchored': String(next.anchor !== undefined),
        'data-tone': head.tone,
      })
    },
  }
}

function whenAndHowMuch(session: SessionSnapshot): string {
  const length =
    session.endedAtMs === undefined ? undefined : formatClock(session.endedAtMs - session.startedAtMs)
  const missing = session.missing > 0 ? `${count(session.missing, 'chunk')} lost` : undefined
  const parts = [formatMoment(session.startedAtMs), length, count(tally(session).total, 'chunk'), missing]
  return parts.filter((part) => part !== undefined).join(' · ')
}

function progressBar(): View<SessionSnapshot> {
  const confirmed = h('span', { class: 'bar-confirmed' })
  const stored = h('span', { class: 'bar-stored' })
  const words = h('p', { class: 'bar-words' })
  const bar = h(
    'div',
    { class: 'bar', role: 'progressbar', 'aria-label': 'Confirmed chunks' },
    confirmed,
    stored,
  )
  return {
    element: h('div', { class: 'progress' }, bar, words),
    update(session) {
      const { total, ...done } = tally(session)
      const share = (n: number) => `${total === 0 ? 0 : (100 * n) / total}%`
      confirmed.style.width = share(done.confirmed)
      stored.style.width = share(done.stored)
      const text = progressWords(session)
      setText(words, text)
      setAttributes(bar, {
        'aria-valuemin': 0,
        'aria-valuemax': total,
        'aria-valuenow': done.confirmed,
        'aria-valuetext': text,
      })
    },
  }
}
