import type { Holdfast } from '../api.ts'
import { feedOf, type Seen } from '../elements/feed.ts'
import { isConfirmed, safeWords, tally } from '../elements/session-words.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { openDialog } from './dialog.ts'
import { button, byId, h, keyedList, setText, type View } from './dom.ts'
import { focusAfter, setHidden } from './focus.ts'
import { formatBytes, formatMoment } from './format.ts'
import { texts } from './texts.ts'

type Discard = (session: SessionSnapshot) => Promise<void>

const words = texts.space

/** What takes room here; first what costs least to delete, then the largest. */
const byLoss = (sessions: readonly SessionSnapshot[]): readonly SessionSnapshot[] =>
  sessions
    .filter((session) => session.localBytes > 0 && session.ending !== 'recording')
    .sort((a, b) => cost(a) - cost(b) || b.localBytes - a.localBytes)

const cost = (session: SessionSnapshot) => (tally(session).toUpload > 0 ? 1 : 0)

/** A dialog of all that makes room on this device, each with its button: `open` shows it, `update` keeps it true. */
export function freeSpaceDialog(holdfast: Holdfast, discard: Discard, deleteTraces: () => void) {
  const dialog = byId('free-space', HTMLDialogElement)
  const upload = byId('space-upload', HTMLButtonElement)
  const traces = byId('space-traces', HTMLButtonElement)
  let seen: Seen | undefined
  const list = byId('space-list', HTMLElement)
  const drawList = keyedList(
    list,
    ({ id }: SessionSnapshot) => id,
    (session) => heldView(session, discard),
  )
  const draw = () => {
    if (!seen) return
    const { snapshot, policy } = seen
    const held = byLoss(snapshot.sessions)
    const proved = snapshot.sessions.filter(isConfirmed).length
    setText(byId('space-words', HTMLElement), held.length > 0 ? words.uploads : words.nothing)
    setHidden(upload, held.length === 0 || policy.policy === 'always')
    setHidden(traces, proved === 0)
    setText(byId('space-proved', HTMLElement), proved > 0 ? texts.privacy.tracesOf(proved) : '')
    drawList(held)
    if (list === document.activeElement && held.length === 0) focusAfter(list)
  }
  const clicks = {
    'space-upload': () => void feedOf(holdfast).setPolicy('always'),
    'space-traces': deleteTraces,
  }
  return {
    update(now: Seen): void {
      seen = now
      if (dialog.open) draw()
    },
    open(): void {
      draw()
      void openDialog(dialog, { clicks })
    },
  }
}

function heldView(first: SessionSnapshot, discardOne: Discard): View<SessionSnapshot> {
  let session = first
  const when = formatMoment(first.startedAtMs)
  const size = h('p', {})
  const safe = h('p', { class: 'hint' })
  const discard = button(texts.actions.discard, () => void discardOne(session), {
    'aria-label': texts.actions.discardOf(when),
    class: 'danger',
    'data-testid': 'space-discard',
  })
  return {
    element: h('li', { class: 'space-held' }, h('div', {}, size, safe), discard),
    update(next) {
      session = next
      setText(size, words.held(formatBytes(next.localBytes), when))
      setText(safe, safeWords(next))
    },
  }
}
