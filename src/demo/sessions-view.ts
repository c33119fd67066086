import type { Holdfast } from '../api.ts'
import type { Seen } from '../elements/feed.ts'
import { sessionStatus } from '../elements/session-status.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { button, byId, h, keyedList, setAttributes, type View } from './dom.ts'
import { formatMoment } from './format.ts'
import { sessionDetails } from './session-details.ts'
import { texts } from './texts.ts'
import { verifyPanel } from './verify-panel.ts'

type Discard = (session: SessionSnapshot) => Promise<void>

/** Lists every session that the device knows, newest first: its status, and what the demo can do with it. */
export function showSessions(holdfast: Holdfast, discard: Discard): (seen: Seen) => void {
  let seen: Seen | undefined
  const drawList = keyedList(
    byId('sessions', HTMLElement),
    (session: SessionSnapshot) => session.id,
    (session) => sessionView(session, holdfast, discard, () => seen),
  )
  return (now) => {
    seen = now
    byId('sessions-empty', HTMLElement).hidden = now.snapshot.sessions.length > 0
    drawList(now.snapshot.sessions)
  }
}

function sessionView(
  first: SessionSnapshot,
  holdfast: Holdfast,
  discardOne: Discard,
  seenNow: () => Seen | undefined,
): View<SessionSnapshot> {
  let session = first
  const named = formatMoment(first.startedAtMs)
  const panel = verifyPanel(() => session)
  const verify = button(texts.actions.verify, () => void panel.run(verify), {
    slot: 'first',
    'aria-label': texts.actions.verifyOf(named),
    class: 'soft',
    'data-testid': 'verify-button',
  })
  const discard = button(texts.actions.discard, () => void discardOne(session), {
    'aria-label': texts.actions.discardOf(named),
    class: 'plain danger',
    'data-testid': 'discard-button',
  })
  const status = h('holdfast-status', { 'session-id': first.id }, verify, discard)
  status.holdfast = holdfast
  const details = sessionDetails(first, holdfast)
  const element = h(
    'li',
    { class: 'session', 'data-testid': 'session', 'data-session-id': first.id },
    status,
    panel.element,
    details.element,
  )
  return {
    element,
    update(next) {
      session = next
      const seen = seenNow()
      const words = seen ? sessionStatus(next, seen.policy).words : ''
      discard.hidden = next.ending === 'recording'
      verify.hidden = !next.anchor
      details.update(next)
      setAttributes(element, {
        'aria-label': texts.actions.recordingOf(named, words),
        'data-ending': next.ending,
        'data-upload': next.upload,
        'data-paused': String(next.paused),
        'data-parked': next.parked,
        'data-anchored': String(next.anchor !== undefined),
      })
    },
  }
}
