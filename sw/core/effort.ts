import type { Effort } from './record.ts'
import { countsAsAttempt, isReportable, waitAfter, type Failure, type Now } from './retry-policy.ts'

/** It failed. */
export interface Failed {
  readonly type: 'failed'
  readonly failure: Failure
}

/** What happens to the upload of an object while it is tried. */
export type UnderWay =
  /** The intent to send is stored; the request leaves after that. */
  | { readonly type: 'send-began' }
  /** The transport keeps something for later attempts at this upload. */
  | { readonly type: 'resume-token-saved'; readonly resumeToken: string }

/** What every effort begins with. */
export const NEW_EFFORT: Effort = { failures: 0, notBeforeMs: 0, lastError: undefined }

/** True for what waits for a person, or for a trial. */
export const isParked = (effort: Effort | undefined) => effort?.notBeforeMs === Infinity

/** When it is tried next, ms since the epoch (0: now); never, where there is none, or it is parked. */
export const effortDueMs = (effort: Effort | undefined): number =>
  effort ? (effort.notBeforeMs ?? 0) : Infinity

/**
 * Tried now: after progress, or as a person asks for it, afresh; by itself after it was refused (`onTrial`) what failed
 * before counts on, so that once more in vain parks it again.
 */
export const again = <Of extends Effort>(effort: Of, onTrial?: boolean): Of => ({
  ...effort,
  ...(onTrial ? { notBeforeMs: 0 } : NEW_EFFORT),
  onTrial,
})

/** With what is to be known of its upload after a death. */
export const underWay = <Of extends Effort>(effort: Of, event: UnderWay): Of =>
  event.type === 'send-began' ? { ...effort, sent: true } : { ...effort, resumeToken: event.resumeToken }

/** After a failure: it waits, or parks. */
export function afterFailedEffort<Of extends Effort>(effort: Of, failure: Failure, now: Now): Of {
  const { code, message } = failure
  const failures = effort.failures + (countsAsAttempt(code) ? 1 : 0)
  // What was refused before is not asked for each minute either.
  const isOfRead = failure.isOfRead && !effort.onTrial
  const notBeforeMs = waitAfter({ ...failure, isOfRead }, failures, now)
  return {
    ...effort,
    failures,
    lastError: isReportable(failure) ? { code, message } : effort.lastError,
    notBeforeMs,
    onTrial: notBeforeMs < Infinity ? effort.onTrial : undefined,
  }
}
