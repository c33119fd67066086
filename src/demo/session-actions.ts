import type { Holdfast } from '../api.ts'
import { isConfirmed } from '../elements/session-words.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { announce } from './announce.ts'
import { confirmDiscard } from './discard-dialog.ts'
import { explain, type Explanation } from './explain.ts'
import { texts } from './texts.ts'

/** Discards a session, once the person has agreed to what that loses; a failure is explained. */
export function discarding(holdfast: Holdfast, onFailure: (explanation: Explanation) => void) {
  return async (session: SessionSnapshot): Promise<void> => {
    if (!(await confirmDiscard(session))) return
    try {
      await holdfast.discard(session.id, isConfirmed(session) ? {} : { confirm: 'discard-unconfirmed' })
      announce(texts.actions.discarded)
    } catch (thrown) {
      onFailure(explain(thrown, texts.notice.again))
    }
  }
}
