import { ERRORS, type WireError } from '../../src/protocol/errors.ts'
import type { Failure, Now } from './chunk-machine.ts'
import type { SessionRecord, Trial, TrialKind } from './record.ts'

// Nothing is parked for ever that time or the app may mend: a refused sign-in, and whatever a server or this device
// refused, is tried again by itself, ever more rarely.

interface Pace {
  /** First upper bound of the wait between two trials, ms; it doubles. */
  readonly baseMs: number
  /** Largest wait between two trials, ms; a server may ask for more. */
  readonly capMs: number
}

const PACES: Readonly<Record<TrialKind, Pace>> = {
  'sign-in': { baseMs: 300_000, capMs: 3_600_000 },
  refusal: { baseMs: 60_000, capMs: 21_600_000 },
}
/** Longest legal wait for a trial, ms. */
export const LONGEST_TRIAL_MS = 21_600_000
/** Least wait between two trials, ms. */
const FLOOR_MS = 60_000

/** What an error is tried again as once its item is parked; undefined where time cannot mend it: the bytes are not ours. */
export function trialOf(error: WireError | undefined): TrialKind | undefined {
  if (error === undefined || error.code === 'payload-corrupt') return undefined
  const kind = ERRORS[error.code]
  if (kind === 'blocked') return 'sign-in'
  return kind === 'refused' || kind === 'defect' ? 'refusal' : undefined
}

/**
 * The next trial, in case that none succeeds before: full jitter, a minute at the least, the bound doubling.
 *
 * @param failures trials, the first refusal among them, since an upload of the session went through
 */
export function nextTrial(of: TrialKind, failures: number, { nowMs, random }: Now): Trial {
  const { baseMs, capMs } = PACES[of]
  const waitMs = Math.max(FLOOR_MS, Math.round(random * Math.min(capMs, baseMs * 2 ** failures)))
  return { failures: failures + 1, retryAtMs: nowMs + waitMs, setAtMs: nowMs }
}

/**
 * The session after a failure that parks one of its items. Where a trial is set it stays, or comes later if the server
 * asks for that: so 500 chunks that are refused together are one refusal.
 */
export function afterRefusal(session: SessionRecord, failure: Failure, now: Now): SessionRecord {
  const of = trialOf(failure)
  if (of === undefined) return session
  const trial = session.trials?.[of] ?? nextTrial(of, 0, now)
  const askedMs = now.nowMs + failure.retryAfterMs
  return withTrial(session, of, { ...trial, retryAtMs: Math.max(trial.retryAtMs, askedMs) })
}

/** The session with this next trial, or with none of that kind. */
export function withTrial(session: SessionRecord, of: TrialKind, trial: Trial | undefined): SessionRecord {
  const { trials: before, ...rest } = session
  const { [of]: _replaced, ...others } = before ?? {}
  const trials = trial === undefined ? others : { ...others, [of]: trial }
  return Object.keys(trials).length === 0 ? rest : { ...rest, trials }
}

/**
 * The next trial when it worked: within a minute, and of everything that waits. Any upload shows that for a sign-in;
 * for a refusal only one of what was refused before.
 *
 * @param own whether it was the session's; another one may go elsewhere, or as somebody else: its success is a hint
 */
export const afterSuccess = (trial: Trial, own: boolean, nowMs: number): Trial => ({
  ...trial,
  failures: own ? 0 : trial.failures,
  retryAtMs: Math.min(trial.retryAtMs, nowMs + FLOOR_MS),
})

/** The next trial when a person arrives: now, unless the last one was within the minute. */
export const afterVisit = (trial: Trial, nowMs: number): Trial =>
  Math.abs(nowMs - trial.setAtMs) < FLOOR_MS
    ? trial
    : { ...trial, retryAtMs: Math.min(trial.retryAtMs, nowMs) }
