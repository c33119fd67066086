import type { Holdfast } from '../api.ts'
import { isConfirmed } from '../elements/session-words.ts'
import type { SessionSnapshot, Snapshot } from '../protocol/snapshot.ts'
import { announce } from './announce.ts'
import { openDialog } from './dialog.ts'
import { byId, setText } from './dom.ts'
import { explain, type Explanation } from './explain.ts'
import { texts } from './texts.ts'

/** Deletes what this device knows of recordings that are proved, once the person has said so twice. */
export function showTraces(holdfast: Holdfast, onFailure: (explanation: Explanation) => void) {
  const go = byId('traces', HTMLButtonElement)
  let proved: readonly SessionSnapshot[] = []
  go.addEventListener('click', async () => {
    const chosen = proved
    setText(byId('traces-why', HTMLElement), texts.privacy.tracesWhy(chosen.length))
    if ((await openDialog(byId('forget-traces', HTMLDialogElement))) !== 'forget') return
    try {
      for (const { id } of chosen) await holdfast.discard(id)
      announce(texts.privacy.tracesGone)
    } catch (thrown) {
      onFailure(explain(thrown, texts.notice.again))
    }
  })
  return ({ sessions }: Snapshot): void => {
    proved = sessions.filter(isConfirmed)
    const hadFocus = document.activeElement === go
    go.disabled = proved.length === 0
    byId('privacy', HTMLElement).dataset['drawn'] = 'true'
    const { tracesNone, tracesOf } = texts.privacy
    setText(byId('traces-words', HTMLElement), proved.length === 0 ? tracesNone : tracesOf(proved.length))
    // They say what has become of it.
    if (hadFocus && go.disabled) byId('traces-words', HTMLElement).focus()
  }
}
