import type { Effort } from './record.ts'
import {
  believedMs,
  countsAsAttempt,
  DUE_NOW,
  isInVain,
  isReportable,
  waitAfter,
  type Failure,
  type Now,
} from './retry-policy.ts'

/** Another try now: a person or the app asks for it, or (`onTrial`) it is tried by itself after it was refused. */
export interface Resumed {
  readonly type: 'resumed'
  readonly onTrial?: boolean | undefined
}

/** What every effort begins with. */
export const NEW_EFFORT: Effort = { failures: 0, wait: DUE_NOW, lastError: undefined }

/** When it is tried next, ms since the epoch (0: now); undefined where there is none, or it is parked. */
export const effortDueMs = (effort: Effort | undefined, nowMs: number): number | undefined =>
  effort?.wait.kind === 'due' ? believedMs(effort.wait.notBeforeMs, nowMs) : undefined

/** After progress: failures are forgiven, and it goes on now. */
export const afresh = <Of extends Effort>(effort: Of): Of => ({ ...effort, ...NEW_EFFORT })

/** Tried by itself after it was refused: what failed before counts on, so that once more in vain parks it again. */
export const onTrial = <Of extends Effort>(effort: Of): Of => ({ ...effort, wait: DUE_NOW })

/**
 * After a failure: it waits, or parks.
 *
 * @param isOnTrial whether it was parked before, and tried by itself: then sending the same again is in vain at once
 */
export function afterFailedEffort<Of extends Effort>(
  effort: Of,
  failure: Failure,
  now: Now,
  isOnTrial?: boolean,
): Of {
  const { code, message } = failure
  const failures = effort.failures + (countsAsAttempt(code) ? 1 : 0)
  return {
    ...effort,
    failures,
    lastError: isReportable(failure) ? { code, message } : effort.lastError,
    wait: isInVain(code, failures, isOnTrial) ? { kind: 'parked' } : waitAfter(failure, failures, now),
  }
}
