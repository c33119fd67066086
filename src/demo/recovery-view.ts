import type { PolicyView, SessionSnapshot, Snapshot } from '../protocol/snapshot.ts'
import { announce } from './announce.ts'
import { byId, h, keyedList, setText, type View } from './dom.ts'
import { formatClock, formatMoment } from './format.ts'
import { icon, setIcon } from './icon.ts'
import { onTheirWay, summaryOf, urgentOf } from './recovery-summary.ts'
import { resumeButton, type Actions } from './session-actions.ts'
import { sessionStatus } from './session-status.ts'
import { needsResume, needsWords } from './session-words.ts'
import { texts } from './texts.ts'
import { countsDown, ticker } from './ticker.ts'

export interface Recovery {
  update(snapshot: Snapshot, policy: PolicyView): void
  /** Whether this browser goes on without a page. */
  setWakes(wakes: boolean): void
}

/**
 * What is on its way, in figures that are always there, so that nothing moves under a thumb; the most urgent thing with
 * its remedy beside it; and, behind a click, which recordings these are.
 */
export function showRecovery(actions: Actions, allowUploads: () => void): Recovery {
  const section = byId('recovery', HTMLElement)
  const urgent = byId('urgent', HTMLElement)
  const remedy = byId('remedy', HTMLButtonElement)
  let pending: readonly SessionSnapshot[] | undefined
  let policy: PolicyView = { policy: 'always', metered: false }
  let wakes = false
  let onRemedy = () => {}
  remedy.addEventListener('click', () => onRemedy())
  const drawList = keyedList(
    byId('recovery-list', HTMLElement),
    (session: SessionSnapshot) => session.id,
    (session) => recoveryItem(session, actions, () => policy),
  )
  const figure = (id: string, value: string, label: string) => {
    setText(byId(`${id}-value`, HTMLElement), value)
    setText(byId(`${id}-label`, HTMLElement), label)
  }
  const draw = () => {
    if (pending === undefined) return
    const now = pending
    const { recordings, elsewhereMs, hereMs, waitingForYou } = summaryOf(now)
    section.dataset['pending'] = String(recordings)
    figure('pending', String(recordings), texts.recovery.recordings(recordings))
    figure('elsewhere', formatClock(elsewhereMs), texts.recovery.elsewhere)
    figure('here', formatClock(hereMs), texts.recovery.here)
    figure('you', String(waitingForYou), texts.recovery.you(waitingForYou))
    const told = urgentOf(now, policy, wakes)
    setText(urgent, told.words)
    remedy.hidden = told.remedy === undefined
    setText(remedy, told.remedy?.label ?? '')
    onRemedy =
      told.remedy?.does === 'upload'
        ? allowUploads
        : () => now.filter(needsResume).forEach(({ id }) => actions.resume(id))
    byId('recovery-details', HTMLElement).classList.toggle('invisible', recordings === 0)
    drawList(now)
    setTicking(now.some(countsDown))
  }
  const setTicking = ticker(draw)
  return {
    update({ sessions }, policyNow) {
      const before = pending?.length ?? 0
      pending = onTheirWay(sessions)
      policy = policyNow
      if (before === 0 && pending.length > 0) announce(texts.recovery.begun(pending.length))
      if (before > 0 && pending.length === 0) announce(texts.recovery.finished)
      draw()
    },
    setWakes(now) {
      wakes = now
      draw()
    },
  }
}

function recoveryItem(
  first: SessionSnapshot,
  actions: Actions,
  policyNow: () => PolicyView,
): View<SessionSnapshot> {
  const symbol = icon('up')
  const when = formatMoment(first.startedAtMs)
  const needs = h('p', { class: 'recovery-needs', 'data-testid': 'still-needs' })
  const resume = resumeButton(first, actions)
  const element = h(
    'li',
    { 'data-session-id': first.id },
    symbol,
    h('div', {}, h('p', { class: 'recovery-when' }, when), needs),
    resume.element,
  )
  return {
    element,
    update(session) {
      const { icon: name, tone } = sessionStatus(session, policyNow())
      setIcon(symbol, name)
      element.dataset['tone'] = tone
      element.dataset['upload'] = session.upload
      setText(needs, needsWords(session, policyNow()))
      resume.update(session)
    },
  }
}
