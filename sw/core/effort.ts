import type { Effort } from './record.ts'
import {
  believedMs,
  countsAsAttempt,
  DUE_NOW,
  isReportable,
  waitAfter,
  type Failure,
  type Now,
} from './retry-policy.ts'

/** It was in vain. */
export interface Failed {
  readonly type: 'failed'
  readonly failure: Failure
}

/** What every effort begins with. */
export const NEW_EFFORT: Effort = { failures: 0, wait: DUE_NOW, lastError: undefined }

/** When it is tried next, ms since the epoch (0: now); never, where there is none, or it is parked. */
export const effortDueMs = (effort: Effort | undefined, nowMs: number): number =>
  effort?.wait.kind === 'due' ? believedMs(effort.wait.notBeforeMs, nowMs) : Infinity

/**
 * Tried now: after progress, or as a person asks for it, afresh; by itself after it was refused (`onTrial`) what failed
 * before counts on, so that once more in vain parks it again.
 */
export const again = <Of extends Effort>(effort: Of, onTrial = false): Of => ({
  ...effort,
  ...(onTrial ? { wait: DUE_NOW } : NEW_EFFORT),
})

/** After a failure: it waits, or parks. */
export function afterFailedEffort<Of extends Effort>(effort: Of, failure: Failure, now: Now): Of {
  const { code, message } = failure
  const failures = effort.failures + (countsAsAttempt(code) ? 1 : 0)
  return {
    ...effort,
    failures,
    lastError: isReportable(failure) ? { code, message } : effort.lastError,
    wait: waitAfter(failure, failures, now),
  }
}
