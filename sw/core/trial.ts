import type { SessionRecord, Trial, TrialKind } from './record.ts'
import { TRIAL_FLOOR_MS, trialDelayMs, trialOf, type Failure, type Now } from './retry-policy.ts'

// Nothing is parked for ever that time or the app may mend: a refused sign-in, and whatever a server or this device
// refused, is tried again by itself, ever more rarely.

/**
 * The next trial, in case that none succeeds before: full jitter, a minute at the least, the bound doubling.
 *
 * @param failures trials, the first refusal among them, since an upload of the session went through
 */
export function nextTrial(of: TrialKind, failures: number, { nowMs, random }: Now): Trial {
  return {
    failures: failures + 1,
    retryAtMs: nowMs + trialDelayMs(of, failures, random),
    setAtMs: nowMs,
  }
}

/**
 * The session after a failure that parks one of its items. Where a trial is set it stays, or comes later if the server
 * asks for that: so 500 chunks that are refused together are one refusal.
 */
export function afterRefusal(session: SessionRecord, failure: Failure, now: Now): SessionRecord {
  const of = trialOf(failure)
  if (!of) return session
  const trial = session.trials?.[of] ?? nextTrial(of, 0, now)
  const askedMs = now.nowMs + failure.retryAfterMs
  return withTrial(session, of, { ...trial, retryAtMs: Math.max(trial.retryAtMs, askedMs) })
}

/** The session with this next trial, or with none of that kind. */
export const withTrial = (
  session: SessionRecord,
  of: TrialKind,
  trial: Trial | undefined,
): SessionRecord => ({
  ...session,
  trials: { ...session.trials, [of]: trial },
})

/**
 * The next trial when it worked: within a minute, and of everything that waits. Any upload shows that for a sign-in;
 * for a refusal only one of what was refused before.
 *
 * @param own whether it was the session's; another one may go elsewhere, or as somebody else: its success is a hint
 */
export const afterSuccess = (trial: Trial, own: boolean, nowMs: number): Trial => ({
  ...trial,
  failures: own ? 0 : trial.failures,
  retryAtMs: Math.min(trial.retryAtMs, nowMs + TRIAL_FLOOR_MS),
})

/** The next trial when a person arrives: now, unless the last one was within the minute. */
export const afterVisit = (trial: Trial, nowMs: number): Trial =>
  Math.abs(nowMs - trial.setAtMs) < TRIAL_FLOOR_MS
    ? trial
    : { ...trial, retryAtMs: Math.min(trial.retryAtMs, nowMs) }
