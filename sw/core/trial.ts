import { REFUSED_TOGETHER, TRIALS_TOGETHER } from './limits.ts'
import type { SessionRecord, Trial, TrialKind, Trials } from './record.ts'
import { TRIAL_FLOOR_MS, trialDelayMs, trialOf, type Failure, type Now } from './retry-policy.ts'

// Nothing is parked for ever that time or the app may mend: a refused sign-in, and whatever a server or this device
// refused, is tried again by itself, ever more rarely.

export const TRIAL_KINDS = ['sign-in', 'refusal'] as const satisfies TrialKind[]

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
 * The trials after a failure that parks an item. Where one is set it stays, or comes later if the server asks for that: so
 * 500 chunks that are refused together are one refusal.
 */
export function afterRefusal(trials: Trials | undefined, failure: Failure, now: Now): Trials | undefined {
  const of = trialOf(failure)
  if (!of) return trials
  const trial = trials?.[of] ?? nextTrial(of, 0, now)
  const askedMs = now.nowMs + failure.retryAfterMs
  return { ...trials, [of]: { ...trial, retryAtMs: Math.max(trial.retryAtMs, askedMs) } }
}

/**
 * The next trial where there is hope: now, but not within a minute of the last one; a last one that lies ahead, because
 * the clock was set back, is taken to be now.
 *
 * @param worked what is tried goes through again: then everything that waits is tried
 * @returns the same object where nothing changes
 */
export function sooner(trial: Trial, worked: boolean, nowMs: number): Trial {
  const failures = worked ? 0 : trial.failures
  const soonMs = Math.max(nowMs, Math.min(trial.setAtMs, nowMs) + TRIAL_FLOOR_MS)
  if (failures === trial.failures && soonMs >= trial.retryAtMs) return trial
  return { ...trial, failures, retryAtMs: Math.min(trial.retryAtMs, soonMs) }
}

/** Whether the session's other chunks are to wait with those that were refused, for their trial. */
export const isHeldBack = ({ refused = 0, trials }: SessionRecord) =>
  refused >= REFUSED_TOGETHER && TRIAL_KINDS.some((of) => trials?.[of])

/**
 * Whether the session's trial, which is due, may stand for another's too: both were refused for the same, as often, and
 * not for long. What cannot be sealed is a matter of its session alone.
 */
export function isShared({ trials, trouble }: SessionRecord, other: SessionRecord): boolean {
  const failures = trials?.refusal?.failures ?? 0
  const isOfOne = trouble?.error.code === other.trouble?.error.code
  const isAlike = isOfOne && failures === other.trials?.refusal?.failures && other.parkedRaw === 0
  return isAlike && failures > 0 && failures <= TRIALS_TOGETHER
}
