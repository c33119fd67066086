import type { PolicyView, SessionSnapshot } from '../protocol/snapshot.ts'
import { formatClock, formatMoment } from './format.ts'
import { errorWords, isConfirmed, leavesBy, needsResume } from './session-words.ts'
import { texts } from './texts.ts'

/** All that this device knows of, at a glance; one that is being made is in its lengths. */
export interface Summary {
  /** On their way. */
  readonly recordings: number
  readonly elsewhereMs: number
  readonly hereMs: number
  readonly waitingForYou: number
}

/** One thing to press. */
export interface Remedy {
  /** Two are the app's to offer. */
  readonly kind: 'resume' | 'upload' | 'signIn' | 'freeSpace'
  readonly label: string
  /** The button's whole name. */
  readonly name: string
  /** For these. */
  readonly of: readonly SessionSnapshot[]
}

/** What only a person can mend. */
export interface Urgent {
  readonly words: string
  readonly remedy?: Remedy
}

/** Recordings that have ended and are not proved yet; what waits for a person first. */
export const onTheirWay = (sessions: readonly SessionSnapshot[]): readonly SessionSnapshot[] =>
  sessions
    .filter((session) => !isConfirmed(session) && session.ending !== 'recording')
    .sort((a, b) => Number(needsResume(b)) - Number(needsResume(a)))

export function summaryOf(sessions: readonly SessionSnapshot[]): Summary {
  const pending = onTheirWay(sessions)
  const sum = (ms: (session: SessionSnapshot) => number) =>
    sessions.reduce((total, session) => total + ms(session), 0)
  return {
    recordings: pending.length,
    elsewhereMs: sum(({ progress }) => progress.storedMs),
    hereMs: sum(({ progress }) => progress.totalMs - progress.storedMs),
    waitingForYou: pending.filter(needsResume).length,
  }
}

/** True where a recording goes on as soon as a person has signed in. */
export const needsSignIn = (session: SessionSnapshot) =>
  session.lastError?.code === 'sign-in-needed' && needsResume(session) && !session.paused

/**
 * The most urgent thing, in one sentence. A device without room, which costs what is recorded next, comes first; then
 * what stops everything: while nothing may leave, to resume one session would do nothing.
 *
 * @param wakes whether the browser goes on without a page
 * @param offers what the app can do now
 */
export function urgentOf(
  sessions: readonly SessionSnapshot[],
  policy: PolicyView,
  wakes: boolean,
  offers: { readonly [Kind in 'signIn' | 'freeSpace']?: unknown } = {},
): Urgent {
  const { recovery, remedy, errors } = texts
  const pending = onTheirWay(sessions)
  const told = (words: string, kind: Remedy['kind'], label: string, name = label, of = pending): Urgent => ({
    words,
    remedy: { kind, label, name, of },
  })
  if (offers.freeSpace) return told(remedy.almostFull, 'freeSpace', remedy.freeSpace)
  if (sessions.every(isConfirmed)) return { words: recovery.nothing }
  const leaves = leavesBy(policy)
  const length = formatClock(summaryOf(sessions).hereMs)
  if (leaves === 'off') return told(remedy.offHere(length), 'upload', remedy.upload)
  if (leaves === 'wifi') return told(remedy.wifiHere(length), 'upload', remedy.uploadAnyway)
  const signedOut = offers.signIn ? pending.filter(needsSignIn) : []
  const isSignIn = signedOut.length > 0
  const waiting = isSignIn ? signedOut : pending.filter(needsResume)
  const [first] = waiting
  if (!first) return { words: wakes ? recovery.goesOn : recovery.goesOnWhileOpen }
  const isOne = waiting.length === 1
  const when = formatMoment(first.startedAtMs)
  if (isSignIn) {
    const name = isOne ? remedy.signInOf(when) : remedy.signIn
    return told(errors['sign-in-needed'][0], 'signIn', remedy.signIn, name, waiting)
  }
  const label = isOne ? remedy.resume : remedy.resumeAll(waiting.length)
  const why = first.paused ? texts.why.paused : texts.why.you
  const words = first.lastError && !first.paused ? errorWords(first.lastError).join(' ') : why
  return told(words, 'resume', label, isOne ? remedy.resumeOf(when) : label, waiting)
}
