import type { Holdfast } from '../api.ts'
import type { PolicyView, SessionSnapshot, Snapshot } from '../protocol/snapshot.ts'
import { button, byId, h, keyedList, setAttributes, setText, type View } from './dom.ts'
import { formatClock, formatMoment } from './format.ts'
import { icon, setIcon } from './icon.ts'
import { resumeButton, type Actions } from './session-actions.ts'
import { sessionDetails } from './session-details.ts'
import { sessionStatus } from './session-status.ts'
import { isConfirmed, needsResume, needsWords, safeWords, tally } from './session-words.ts'
import { texts } from './texts.ts'
import { countsDown, ticker } from './ticker.ts'
import { uploadProgress } from './upload-progress.ts'
import { verifyPanel } from './verify-panel.ts'

/** Lists every session that the device knows, newest first. */
export function showSessions(holdfast: Holdfast, actions: Actions) {
  let shown: readonly SessionSnapshot[] = []
  let policy: PolicyView = { policy: 'always', metered: false }
  const drawList = keyedList(
    byId('sessions', HTMLElement),
    (session: SessionSnapshot) => session.id,
    (session) => sessionView(session, holdfast, actions, () => policy),
  )
  const setTicking = ticker(() => draw())
  const draw = () => {
    drawList(shown)
    setTicking(shown.some(countsDown))
  }
  return ({ sessions }: Snapshot, policyNow: PolicyView): void => {
    shown = sessions
    policy = policyNow
    byId('sessions-empty', HTMLElement).hidden = sessions.length > 0
    draw()
  }
}

function sessionView(
  first: SessionSnapshot,
  holdfast: Holdfast,
  actions: Actions,
  policyNow: () => PolicyView,
): View<SessionSnapshot> {
  let session = first
  const named = formatMoment(first.startedAtMs)
  const titleId = `title-${first.id}`
  const symbol = icon('dot')
  const words = h('span', {})
  const when = h('p', { class: 'session-when' })
  const needs = h('p', { class: 'session-needs', 'data-testid': 'still-needs' })
  const bar = progressBar()
  const upload = uploadProgress()
  const resume = resumeButton(first, actions)
  const pause = button(texts.actions.pause, () => actions.pause(first.id), {
    'data-testid': 'pause-button',
    'aria-label': texts.actions.pauseOf(named),
  })
  const discard = button(texts.actions.discard, () => actions.discard(session), {
    'aria-label': texts.actions.discardOf(named),
    class: 'plain danger',
    'data-testid': 'discard-button',
  })
  const panel = verifyPanel(() => session)
  const verify = button(texts.actions.verify, () => void panel.run(verify), {
    'aria-label': texts.actions.verifyOf(named),
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
      const head = sessionStatus(next, policyNow())
      setIcon(symbol, head.icon)
      setText(words, head.words)
      setText(when, whenAndHowMuch(next))
      setText(needs, needsWords(next, policyNow()))
      needs.hidden = isConfirmed(next)
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

function whenAndHowMuch({ startedAtMs, progress, missing }: SessionSnapshot): string {
  const length = progress.totalMs > 0 ? formatClock(progress.totalMs) : ''
  const lost = missing > 0 ? texts.safe.lost(missing) : ''
  return [formatMoment(startedAtMs), length, lost].filter(Boolean).join(' · ')
}

function progressBar(): View<SessionSnapshot> {
  const confirmed = h('span', { class: 'bar-confirmed' })
  const stored = h('span', { class: 'bar-stored' })
  const bar = h('div', { class: 'bar', role: 'progressbar', 'aria-label': texts.safe.bar }, confirmed, stored)
  return {
    element: bar,
    update(session) {
      const { total, ...done } = tally(session)
      const share = (n: number) => `${total === 0 ? 0 : (100 * n) / total}%`
      confirmed.style.width = share(done.confirmed)
      stored.style.width = share(done.stored)
      setAttributes(bar, {
        'aria-valuemin': 0,
        'aria-valuemax': total,
        'aria-valuenow': done.confirmed,
        'aria-valuetext': safeWords(session),
      })
    },
  }
}
