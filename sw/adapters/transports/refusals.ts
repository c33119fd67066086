import type { ErrorClass, HoldfastError, WireError } from '../../../src/protocol/errors.ts'
import { believedMs, LONGEST_WAIT_MS, TRIAL_FLOOR_MS } from '../../core/retry-policy.ts'

/** What is remembered of a store that refused this object, or wants a sign-in for it: asking again does not heal that. */
export interface Refusal extends WireError {
  readonly times: number
  /** Until then it is left alone with this object, as long as another may get a copy; ms since the epoch. */
  readonly untilMs: number
  /** The choice's `resumedAtMs` at that time: once a person has asked again it is tried at once. */
  readonly resumedAtMs?: number | undefined
}

/** Which of several failures decides: the one that is healed most easily, by time, by asking, by the app, or by nobody. */
const BY_HEALING: readonly ErrorClass[] = ['transient', 'conflict', 'blocked', 'refused', 'defect']

/** How hard a failure is to heal, from 0. */
export const rank = (error: HoldfastError): number => BY_HEALING.indexOf(error.class)

/** A refusal, as long as its store is to be left alone with this object. */
export const inForce = (
  refusal: Refusal | undefined,
  nowMs: number,
  resumedAtMs: number | undefined,
): Refusal | undefined =>
  refusal && believedMs(refusal.untilMs, nowMs) > nowMs && refusal.resumedAtMs === resumedAtMs
    ? refusal
    : undefined

/** What is to be remembered of a failure after these refusals; undefined where time or asking again heals it. */
export function refusalBy(
  error: HoldfastError,
  before: Refusal | undefined,
  nowMs: number,
  resumedAtMs: number | undefined,
): Refusal | undefined {
  const { code, message } = error
  // Of a mismatch asking again is of use, but only some seconds later.
  if (rank(error) <= 1 && !/mismatch/.test(code)) return undefined
  const times = (before?.times ?? 0) + 1
  const untilMs = nowMs + Math.min(LONGEST_WAIT_MS, 2 ** times * (TRIAL_FLOOR_MS / 2))
  return { times, untilMs, resumedAtMs, code, message: message.slice(0, 150) }
}
