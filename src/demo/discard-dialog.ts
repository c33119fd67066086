import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { openDialog } from './dialog.ts'
import { byId, setText } from './dom.ts'
import { count, formatBytes, formatMoment } from './format.ts'
import { isConfirmed, tally } from './still-needs.ts'

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
  const { total, toUpload, confirmed } = tally(session)
  const what = `${count(total, 'chunk')} recorded ${formatMoment(session.startedAtMs)}.`
  if (isConfirmed(session))
    return `${what} Only the entry on this device goes: the chain and the store keep it.`
  const only =
    toUpload > 0
      ? ` ${count(toUpload, 'chunk')} of it (${formatBytes(session.localBytes)}) exist${toUpload === 1 ? 's' : ''} nowhere else.`
      : ''
  const rest = confirmed > 0 ? ` The chain and the store keep the ${confirmed} that are confirmed.` : ''
  return `${what}${only || ' The chain has not confirmed all of it yet.'}${rest}`
}

function whatToAgreeTo(session: SessionSnapshot): string {
  const { total, confirmed } = tally(session)
  const open = total - confirmed
  return open > 0
    ? `I understand that ${count(open, 'unconfirmed chunk')} will be lost for good.`
    : 'I understand that this recording is not finished yet.'
}
