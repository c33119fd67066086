import type { PolicyView, SessionSnapshot } from '../protocol/snapshot.ts'
import { formatClock } from './format.ts'
import { isConfirmed, leavesBy, needsResume } from './session-words.ts'
import { texts } from './texts.ts'

/** All that is on its way, at a glance. */
export interface Summary {
  readonly recordings: number
  readonly elsewhereMs: number
  readonly hereMs: number
  readonly waitingForYou: number
}

/** What only a person can mend, and the one thing to press. */
export interface Urgent {
  readonly words: string
  readonly remedy?: { readonly label: string; readonly does: 'resume' | 'upload' }
}

/** Recordings that have ended and are not proved yet; what waits for a person first. */
export const onTheirWay = (sessions: readonly SessionSnapshot[]): readonly SessionSnapshot[] =>
  sessions
    .filter((session) => !isConfirmed(session) && session.ending !== 'recording')
    .sort((a, b) => Number(needsResume(b)) - Number(needsResume(a)))

export function summaryOf(pending: readonly SessionSnapshot[]): Summary {
  const sum = (ms: (session: SessionSnapshot) => number) =>
    pending.reduce((total, session) => total + ms(session), 0)
  return {
    recordings: pending.length,
    elsewhereMs: sum(({ progress }) => progress.storedMs),
    hereMs: sum(({ progress }) => progress.totalMs - progress.storedMs),
    waitingForYou: pending.filter(needsResume).length,
  }
}

/**
 * The most urgent thing, in one sentence. What stops everything comes first: while nothing may leave, to resume one
 * session would do nothing.
 *
 * @param wakes whether the browser goes on without a page
 */
export function urgentOf(pending: readonly SessionSnapshot[], policy: PolicyView, wakes: boolean): Urgent {
  const { recovery, remedy, errors } = texts
  const { recordings, hereMs, waitingForYou } = summaryOf(pending)
  if (recordings === 0) return { words: recovery.nothing }
  const leaves = leavesBy(policy)
  const length = formatClock(hereMs)
  if (leaves === 'off')
    return { words: remedy.offHere(length), remedy: { label: remedy.upload, does: 'upload' } }
  if (leaves === 'wifi')
    return { words: remedy.wifiHere(length), remedy: { label: remedy.uploadAnyway, does: 'upload' } }
  const [first] = pending
  if (first && waitingForYou > 0) {
    const label = waitingForYou === 1 ? remedy.resume : remedy.resumeAll(waitingForYou)
    const why = first.paused ? texts.why.paused : texts.why.you
    const words = first.lastError && !first.paused ? errors[first.lastError.code].join(' ') : why
    return { words, remedy: { label, does: 'resume' } }
  }
  return { words: wakes ? recovery.goesOn : recovery.goesOnWhileOpen }
}
