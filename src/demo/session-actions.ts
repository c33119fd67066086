import type { Holdfast } from '../api.ts'
import type { SessionId } from '../protocol/ids.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { announce } from './announce.ts'
import { button, type View } from './dom.ts'
import { confirmDiscard } from './discard-dialog.ts'
import { explain, type Explanation } from './explain.ts'
import { formatMoment } from './format.ts'
import { isConfirmed, needsResume } from './session-words.ts'
import { texts } from './texts.ts'

/** What a person can do with a session. */
export interface Actions {
  pause(id: SessionId): void
  resume(id: SessionId): void
  discard(session: SessionSnapshot): void
}

/** Actions on the engine, with each failure explained. */
export function actionsOf(holdfast: Holdfast, onFailure: (explanation: Explanation) => void): Actions {
  const run = async (work: Promise<unknown>, done: string) => {
    try {
      await work
      announce(done)
    } catch (thrown) {
      onFailure(explain(thrown))
    }
  }
  return {
    pause: (id) => void run(holdfast.pause(id), texts.actions.paused),
    resume: (id) => void run(holdfast.resume(id), texts.actions.resumed),
    async discard(session) {
      if (!(await confirmDiscard(session))) return
      run(
        holdfast.discard(session.id, isConfirmed(session) ? {} : { confirm: 'discard-unconfirmed' }),
        texts.actions.discarded,
      )
    },
  }
}

/** Resume: shown where only a person can get a session going. */
export function resumeButton({ id, startedAtMs }: SessionSnapshot, actions: Actions): View<SessionSnapshot> {
  const element = button(texts.remedy.resume, () => actions.resume(id), {
    'data-testid': 'resume-button',
    'aria-label': texts.remedy.resumeOf(formatMoment(startedAtMs)),
  })
  return {
    element,
    update(session) {
      element.hidden = !needsResume(session)
    },
  }
}
