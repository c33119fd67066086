import { classOf, type ErrorClass, type ErrorCode, type WireError } from '../../src/protocol/errors.ts'
import type { SessionRecord, TrialKind } from './record.ts'
import {
  BASE_MS,
  CAP_MS,
  CONFLICTS,
  DESTINATION_CAP_MS,
  LONGEST_TRIAL_MS,
  LONGEST_WAIT_MS,
  PROOF_LASTS_MS,
  READS,
  RESUBMIT_AFTER_MS,
  RESUBMIT_CAP_MS,
  SHOWN_AFTER_MS,
  TRIAL_FLOOR_MS,
} from './waits.ts'

export {
  CAP_MS,
  DESTINATION_CAP_MS,
  LONGEST_TRIAL_MS,
  LONGEST_WAIT_MS,
  PROOF_LASTS_MS,
  SHOWN_AFTER_MS,
  STANDING_MS,
  TAKEN_TO_TELL,
  TRIAL_FLOOR_MS,
} from './waits.ts'

// Which failure waits, parks, or says something of its destination; and how long each may wait. What uses it keeps the
// state: chunk-machine.ts of an item, circuit.ts of a destination, trial.ts of what is parked.

/** The outside facts that a decision may depend on. */
export interface Now {
  /** ms since the epoch */
  readonly nowMs: number
  /** uniform in [0, 1) */
  readonly random: number
}

/**
 * Whether a store's proof of this time is good still. A time that is yet to come is of a clock that was ahead: then
 * nothing is known.
 */
export const isRecent = (atMs: number, { nowMs }: Now) => atMs <= nowMs && nowMs - atMs <= PROOF_LASTS_MS

export interface Failure extends WireError {
  /** The server's Retry-After, ms; 0 if absent. */
  readonly retryAfterMs: number
  /** A read failed: it cost no bytes. */
  readonly isOfRead?: boolean | undefined
  /** That was while bytes cost money: what is parked is not tried then. */
  readonly isMetered?: boolean
  /** The destination as a whole is not asked before this time, ms since the epoch. */
  readonly circuitUntilMs?: number
  /** The session as it was tried: a person may have resumed it since, or the failure be told again; absent: nobody knows. */
  readonly of?: SessionRecord | undefined
}

/** Largest upper bound of the wait between two trials, and the first, which doubles, ms. */
const TRIALS: Readonly<Record<TrialKind, readonly [capMs: number, baseMs: number]>> = {
  'sign-in': [3_600_000, 300_000],
  refusal: [LONGEST_TRIAL_MS, 60_000],
}

/** Failures that tell of the destination rather than of the item. */
const DESTINATION_CODES: ReadonlySet<ErrorCode> = new Set([
  'unreachable',
  'timeout',
  'server-error',
  'throttled',
  'completion-failed',
])

/** Whether the destination failed, or the way to it. */
export const tellsOfDestination = (code: ErrorCode) => DESTINATION_CODES.has(code)

/** Waiting for a network, or being stopped by ourselves, costs an item no attempt. */
export const countsAsAttempt = (code: ErrorCode) => code !== 'unreachable' && code !== 'aborted'

/** Whether a person is told: of our own stop, by a wake's end or the app's policy, there is nothing to tell. */
export const isReportable = ({ code }: WireError) => code !== 'aborted'

/**
 * What an item is tried again as once it is parked for this; undefined where time cannot mend it: the bytes are not ours.
 * Older versions may have parked it for anything.
 */
export function trialOf(error: WireError | undefined): TrialKind | undefined {
  if (error?.code === 'payload-corrupt') return undefined
  return error && classOf(error.code) === 'blocked' ? 'sign-in' : 'refusal'
}

/** Whether what one chunk was refused for may be so of others: what cannot be read here asks nobody. */
export const tellsOfOthers = ({ code }: WireError) => !code.startsWith('payload')

/**
 * How an item waits after this many failures since its last progress. Its class decides: time heals the transient ones and
 * conflicts; the others park. So does a conflict in the end: a store that damages, forgets or misnames what it gets would
 * cost all of its bytes each minute. A read never parks, unless a sign-in is needed.
 *
 * @returns until when, ms since the epoch; Infinity where it parks
 */
export function waitAfter(failure: Failure, failures: number, now: Now): number {
  const { code, isOfRead, retryAfterMs } = failure
  const shownMs = code === 'address-mismatch' ? SHOWN_AFTER_MS : 0
  const tries = isOfRead && classOf(code) !== 'blocked' ? Infinity : triesOf(code)
  if (failures > tries) return Infinity
  return now.nowMs + Math.max(retryAfterMs, shownMs, failures && backOffMs(failures, now.random))
}

/**
 * Whether the failure of a chunk still counts as that of a read. Refused again and again it counts as a refusal, since there
 * are many chunks, and few pages and heads. On a metered link it stays a read, since what is parked is not tried there.
 *
 * @param failures since the chunk's last progress, without this one
 */
export const countsAsRead = ({ isOfRead, isMetered }: Failure, failures: number) =>
  isOfRead && (isMetered || failures < CONFLICTS)

/** How often in a row an item may fail so before it parks, from 0: at once. */
export const triesOf = (code: ErrorCode): number => TRIES[code] ?? TRIES[classOf(code)] ?? 0

const TRIES: { readonly [Kind in ErrorClass | ErrorCode]?: number } = {
  transient: Infinity,
  conflict: CONFLICTS,
  'payload-unreadable': READS,
  'payload-corrupt': READS,
}

/** How long a destination is left alone after this many failures in a row, from 1; ms. */
export const circuitDelayMs = (failures: number, random: number) =>
  backOffMs(failures, random, DESTINATION_CAP_MS)

/**
 * How long a destination that asks for a wait is left alone, ms. That is a floor, no promise that it is in order then: waited
 * for in vain it doubles, up to the longest wait of an item.
 *
 * @param waitedMs how long it was left alone because it had asked for that before; not above 0: it was not
 */
export const askedMs = (floorMs: number, waitedMs: number) =>
  Math.max(floorMs, Math.min(2 * waitedMs, CAP_MS))

/** How long a trial waits after so many before it, from 0; ms. */
export const trialDelayMs = (of: TrialKind, failures: number, random: number) =>
  Math.max(TRIAL_FLOOR_MS, backOffMs(failures + 1, random, ...TRIALS[of]))

/** When an anchor that the relay took so often in vain, from 0, is handed over again, ms after the last time. */
export const resubmitDelayMs = (taken: number) =>
  backOffMs(Math.max(taken, 1), 1, RESUBMIT_CAP_MS, RESUBMIT_AFTER_MS)

/**
 * Full jitter after "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @param failures consecutive failures, from 1
 * @param random uniform in [0, 1); 1 for no jitter
 */
const backOffMs = (failures: number, random: number, capMs = CAP_MS, baseMs = BASE_MS) =>
  Math.round(Math.min(capMs, baseMs * 2 ** (failures - 1)) * random)

/**
 * Whether something was stored at a time that is yet to come, by more than a minute: the clock was set back since, and no
 * wait that was stored then is to be believed. Of what tells no such time nothing is known either.
 */
export const isAhead = (atMs: number | undefined, nowMs: number): boolean => !(atMs! <= nowMs + CAP_MS)

/**
 * A stored time as far as it can be true: one that lies further ahead than any wait may last was stored under a clock
 * that was ahead, and is due. What waits for no time, Infinity, still does.
 *
 * @param longestMs the longest legal wait of its kind
 */
export const believedMs = (timeMs: number, nowMs: number, longestMs = LONGEST_WAIT_MS): number =>
  timeMs > nowMs + longestMs && timeMs < Infinity ? nowMs : timeMs
