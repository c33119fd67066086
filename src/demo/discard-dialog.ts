import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { openDialog } from './dialog.ts'
import { byId, setText } from './dom.ts'
import { formatBytes, formatClock, formatMoment } from './format.ts'
import { isConfirmed, tally } from '../elements/session-words.ts'
import { texts } from './texts.ts'

/** Asks before a session is forgotten; losing unconfirmed evidence takes a second, explicit yes. */
export async function confirmDiscard(session: SessionSnapshot): Promise<boolean> {
  const understood = byId('discard-confirm', HTMLInputElement)
  const discard = byId('discard-go', HTMLButtonElement)
  setText(byId('discard-loss', HTMLElement), whatIsLost(session))
  setText(byId('discard-confirm-label', HTMLElement), whatToAgreeTo(session))
  byId('discard-confirm-field', HTMLElement).hidden = isConfirmed(session)
  understood.checked = false
  const onInput = () => {
    discard.disabled = !isConfirmed(session) && !understood.checked
  }
  return (await openDialog(byId('discard', HTMLDialogElement), { onInput })) === 'discard'
}

function whatIsLost(session: SessionSnapshot): string {
  const { recorded, onlyHere, nowhereElse, notProved, stays } = texts.discard
  const { totalMs, storedMs } = session.progress
  const { toUpload, confirmed } = tally(session)
  const what = recorded(formatClock(totalMs), formatMoment(session.startedAtMs))
  if (isConfirmed(session)) return `${what} ${onlyHere}`
  const only =
    toUpload > 0 ? nowhereElse(formatClock(totalMs - storedMs), formatBytes(session.localBytes)) : ''
  return [what, only || notProved, confirmed > 0 ? stays : ''].filter(Boolean).join(' ')
}

function whatToAgreeTo(session: SessionSnapshot): string {
  const { understand, understandUnfinished } = texts.discard
  const { totalMs, storedMs } = session.progress
  return tally(session).toUpload > 0 ? understand(formatClock(totalMs - storedMs)) : understandUnfinished
}
