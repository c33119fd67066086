import type { SessionId } from '../protocol/ids.ts'
import type { SessionSnapshot, Snapshot } from '../protocol/snapshot.ts'
import { announce } from './announce.ts'
import { byId, h, keyedList, setText, type View } from './dom.ts'
import { count, formatMoment } from './format.ts'
import { icon, setIcon } from './icon.ts'
import { resumeButton, type Actions } from './session-actions.ts'
import { sessionStatus } from './session-status.ts'
import { isConfirmed, needsResume, stillNeeds, tally } from './still-needs.ts'
import { countsDown, ticker } from './ticker.ts'

/**
 * Lists what an earlier page left unfinished, until it is.
 *
 * @param isOwn true for sessions that this page recorded itself
 */
export function showRecoveryBanner(actions: Actions, isOwn: (id: SessionId) => boolean) {
  const banner = byId('recovery', HTMLElement)
  let unfinished: readonly SessionSnapshot[] = []
  const drawList = keyedList(
    byId('recovery-list', HTMLElement),
    (session: SessionSnapshot) => session.id,
    (session) => recoveryItem(session.id, actions),
  )
  const setTicking = ticker(() => draw())
  const draw = () => {
    drawList(unfinished)
    setTicking(unfinished.some(countsDown))
  }
  return ({ sessions }: Snapshot): void => {
    const before = unfinished.length
    unfinished = sessions
      .filter((session) => !isConfirmed(session) && !isOwn(session.id))
      // What waits for a person is not to be scrolled for.
      .toSorted((a, b) => Number(needsResume(b)) - Number(needsResume(a)))
    banner.hidden = unfinished.length === 0
    const title = `Finishing ${count(unfinished.length, 'earlier recording')}`
    setText(byId('recovery-title', HTMLElement), title)
    if (before === 0 && unfinished.length > 0) announce(title)
    if (before > 0 && unfinished.length === 0) announce('All earlier recordings are confirmed')
    draw()
  }
}

function recoveryItem(id: SessionId, actions: Actions): View<SessionSnapshot> {
  const symbol = icon('up')
  const title = h('p', { class: 'recovery-when' })
  const needs = h('p', { class: 'recovery-needs', 'data-testid': 'still-needs' })
  const resume = resumeButton(id, actions)
  const element = h('li', { 'data-session-id': id }, symbol, h('div', {}, title, needs), resume.element)
  return {
    element,
    update(session) {
      const { icon: name, tone } = sessionStatus(session)
      setIcon(symbol, name)
      element.dataset['tone'] = tone
      element.dataset['upload'] = session.upload
      const { total } = tally(session)
      setText(title, `${formatMoment(session.startedAtMs)}, ${count(total, 'chunk')}`)
      setText(needs, stillNeeds(session))
      resume.update(session)
    },
  }
}
