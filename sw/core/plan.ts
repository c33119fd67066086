import { effortDueMs } from './effort.ts'
import { listingDueMs } from './listing.ts'
import type { SessionRecord, TrialKind } from './record.ts'
import { believedMs, LONGEST_TRIAL_MS } from './retry-policy.ts'
import { isSettled, isToTell, pendingChunks } from './session.ts'
import { witnessDueMs } from './witnessing.ts'

/** Steps that ask somebody. */
export type WorkKind = 'listing' | 'witness' | 'completion'

/**
 * What a session's steps beyond its chunks are: its log to the store, its newest head to the chain, telling the app that
 * it has settled, and trials.
 */
export type StepKind = TrialKind | WorkKind

/** One of them, and when it is due, ms since the epoch (0: now). */
export interface SessionStep {
  readonly kind: StepKind
  readonly dueMs: number
}

/**
 * The session's next step of each kind.
 *
 * @param metered whether bytes cost money now: what was refused is then not sent again to see
 */
export function nextSteps(session: SessionRecord, nowMs: number, metered = false): SessionStep[] {
  if (session.paused) return []
  const trialMs = (kind: TrialKind) => {
    const trial = session.trials?.[kind]
    return trial && believedMs(trial.retryAtMs, nowMs, LONGEST_TRIAL_MS)
  }
  const dueMs: Record<StepKind, number | undefined> = {
    listing: listingDueMs(session, nowMs),
    witness: witnessDueMs(session, nowMs),
    completion: isSettled(session) && isToTell(session) ? effortDueMs(session.completion, nowMs) : undefined,
    'sign-in': trialMs('sign-in'),
    refusal: metered ? undefined : trialMs('refusal'),
  }
  return Object.entries(dueMs).flatMap(([kind, atMs]) =>
    atMs === undefined ? [] : [{ kind: kind as StepKind, dueMs: atMs }],
  )
}

/**
 * True while time or the network alone can bring the session further, or its recorder is still at work: a wake that
 * ends now must ask to be woken again. What is parked is tried again by itself, unless only a person can change it.
 */
export function workRemains(session: SessionRecord): boolean {
  if (session.ending === 'recording') return true
  if (session.paused) return false
  return pendingChunks(session) - session.parked > 0 || nextSteps(session, Infinity).length > 0
}
