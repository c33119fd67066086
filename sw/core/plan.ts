import { effortDueMs, isParked } from './effort.ts'
import { listingDueMs } from './listing.ts'
import type { MayLeave, SessionRecord, TrialKind } from './record.ts'
import { isSettled, isToTell, pendingChunks } from './session.ts'
import { witnessDueMs } from './witnessing.ts'

/** Steps that ask somebody. */
export type WorkKind = 'listing' | 'witness' | 'completion'

/**
 * What a session's steps beyond its chunks are: its log to the store, its newest head to the chain, telling the app that
 * it has settled, and trials.
 */
export type StepKind = TrialKind | WorkKind

/**
 * When the session's next step of each kind is due, ms since the epoch (0: now); never, where there is none.
 */
export function stepsDueMs(
  session: SessionRecord,
  mayLeave: MayLeave = 'all',
): { readonly [Kind in StepKind]?: number } {
  if (session.paused) return {}
  const trialMs = (kind: TrialKind) => session.trials?.[kind]?.retryAtMs ?? Infinity
  const { parkedRaw, listing, witnessing } = session
  const isSmall = mayLeave === 'small' && (isParked(listing) || isParked(witnessing))
  const refusal = mayLeave === 'all' || isSmall || parkedRaw > 0 ? trialMs('refusal') : Infinity
  // Sealing alone needs no network.
  if (mayLeave === 'nothing') return { refusal }
  return {
    listing: listingDueMs(session),
    witness: witnessDueMs(session),
    completion: isSettled(session) && isToTell(session) ? effortDueMs(session.completion) : Infinity,
    'sign-in': trialMs('sign-in'),
    refusal,
  }
}

/**
 * True while time or the network alone can bring the session further, or its recorder is still at work: a wake that
 * ends now must ask to be woken again. What is parked is tried again by itself, unless only a person can change it.
 */
export function workRemains(session: SessionRecord): boolean {
  if (session.ending === 'recording') return true
  if (session.paused) return false
  return (
    pendingChunks(session) - session.parked > 0 ||
    Object.values(stepsDueMs(session)).some((atMs) => atMs < Infinity)
  )
}
