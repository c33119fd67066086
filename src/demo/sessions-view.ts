import type { Holdfast } from '../api.ts'
import type { Seen } from '../elements/feed.ts'
import { needsSignIn } from '../elements/recovery-summary.ts'
import { leavesBy } from '../elements/session-words.ts'
import { sessionStatus } from '../elements/session-status.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { button, byId, h, keyedList, setAttributes, type View } from './dom.ts'
import { setHidden } from './focus.ts'
import { formatMoment } from './format.ts'
import { sessionDetails } from './session-details.ts'
import { signIn } from './sign-in.ts'
import { texts } from './texts.ts'
import { verifyPanel } from './verify-panel.ts'

type Discard = (session: SessionSnapshot) => Promise<void>

/** Lists every session that the device knows, newest first: its status, and what the demo can do with it. */
export function showSessions(holdfast: Holdfast, discard: Discard): (seen: Seen) => void {
  let seen: Seen | undefined
  const list = byId('sessions', HTMLElement)
  const drawList = keyedList(
    list,
    (session: SessionSnapshot) => session.id,
    (session) => sessionView(session, holdfast, discard, () => seen),
  )
  return (now) => {
    seen = now
    const { sessions } = now.snapshot
    drawList(sessions)
    const empty = byId('sessions-empty', HTMLElement)
    empty.hidden = sessions.length > 0
    if (!empty.hidden && document.activeElement === list) empty.focus()
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
  const enter = button(texts.remedy.signIn, () => void signInFor(session, holdfast), {
    slot: 'first',
    'aria-label': texts.remedy.signInOf(named),
    class: 'primary',
    'data-testid': 'sign-in-button',
  })
  const status = h('holdfast-status', { 'session-id': first.id }, enter, verify, discard)
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
      setHidden(enter, !(seen && leavesBy(seen.policy) === 'free' && needsSignIn(next)))
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

/** A failure to resume is told by the session itself: it still needs somebody. */
async function signInFor({ id }: SessionSnapshot, holdfast: Holdfast): Promise<void> {
  if (await signIn()) await holdfast.resume(id).catch(() => undefined)
}
