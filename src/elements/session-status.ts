import type { PolicyView, SessionSnapshot } from '../protocol/snapshot.ts'
import type { IconName } from './icon.ts'
import { headlineOf, situationOf, type Headline } from './session-words.ts'
import { texts } from './texts.ts'

/** The mood of a status; each has an icon too, so that colour is never alone. */
export type Tone = 'recording' | 'busy' | 'waiting' | 'good' | 'alert' | 'quiet'

export interface StatusWords {
  readonly words: string
  readonly icon: IconName
  readonly tone: Tone
}

/** Words with their looks. */
export const statusOf = (words: string, icon: IconName, tone: Tone): StatusWords => ({ words, icon, tone })

const LOOKS: Readonly<Record<Headline, readonly [IconName, Tone]>> = {
  recording: ['dot', 'recording'],
  local: ['up', 'busy'],
  proof: ['link', 'busy'],
  done: ['check', 'good'],
  paused: ['pause', 'quiet'],
  off: ['pause', 'waiting'],
  wifi: ['clock', 'waiting'],
  you: ['alert', 'alert'],
  network: ['clock', 'waiting'],
  later: ['clock', 'waiting'],
}

/** A session's state as a headline. */
export function sessionStatus(session: SessionSnapshot, policy: PolicyView): StatusWords {
  const { headline } = headlineOf(situationOf(session, policy))
  if (headline === 'done') return doneStatus(session)
  return statusOf(texts.state[headline], ...LOOKS[headline])
}

function doneStatus({ anchor, missing, ending }: SessionSnapshot): StatusWords {
  const { done, doneWithGap, doneInterrupted, empty } = texts.state
  if (!anchor) return statusOf(empty, 'dot', 'quiet')
  if (missing > 0) return statusOf(doneWithGap, ...LOOKS.done)
  return statusOf(ending === 'interrupted' ? doneInterrupted : done, ...LOOKS.done)
}
