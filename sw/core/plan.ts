import { publicationDueMs } from './publication.ts'
import type { SessionRecord, TrialKind } from './record.ts'
import { believedMs, LONGEST_TRIAL_MS } from './retry-policy.ts'
import { pendingChunks } from './session.ts'

/** A step of a session beyond its chunks, and when it is due, ms since the epoch (0: now). */
export interface SessionStep {
  readonly kind: TrialKind | 'publication'
  readonly dueMs: number
}

/**
 * The session's next step beyond its chunks; undefined while there is none.
 *
 * @param metered whether bytes cost money now: what was refused is then not sent again to see
 */
export function nextStep(session: SessionRecord, nowMs: number, metered = false): SessionStep | undefined {
  if (session.paused) return undefined
  const trialMs = (kind: TrialKind) => {
    const trial = session.trials?.[kind]
    return trial && believedMs(trial.retryAtMs, nowMs, LONGEST_TRIAL_MS)
  }
  const steps = [
    { kind: 'publication', dueMs: publicationDueMs(session, nowMs) },
    { kind: 'sign-in', dueMs: trialMs('sign-in') },
    { kind: 'refusal', dueMs: metered ? undefined : trialMs('refusal') },
  ] as const
  let next: SessionStep | undefined
  for (const { kind, dueMs } of steps)
    if (dueMs !== undefined && dueMs < (next?.dueMs ?? Infinity)) next = { kind, dueMs }
  return next
}

/**
 * True while time or the network alone can bring the session further, or its recorder is still at work: a wake that
 * ends now must ask to be woken again. What is parked is tried again by itself, unless only a person can change it.
 */
export function workRemains(session: SessionRecord): boolean {
  if (session.ending === 'recording') return true
  if (session.paused) return false
  return pendingChunks(session) - session.parked > 0 || nextStep(session, Infinity) !== undefined
}
