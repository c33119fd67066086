import { ERRORS } from '../../src/protocol/errors.ts'
import type { Failure, Now } from './chunk-machine.ts'
import type { ChunkRecord, SessionRecord, SignIn } from './record.ts'

/** First upper bound of the wait between two trials, ms. */
const BASE_MS = 300_000
/** Largest wait between two trials, ms; a server may ask for more. */
const CAP_MS = 3_600_000
/** Least wait between two trials, ms. */
const FLOOR_MS = 60_000

/** Whether this chunk or publication is parked for a sign-in. */
export const isBlocked = ({ lastError }: Pick<ChunkRecord, 'lastError'>) =>
  lastError !== undefined && ERRORS[lastError.code] === 'blocked'

/**
 * The next trial of a sign-in, in case that none succeeds before: full jitter, 1 to 5 minutes at first, the bound
 * doubling to an hour.
 *
 * @param failures trials, the first refusal among them, since an upload of the session went through
 */
export const nextTrial = (failures: number, { nowMs, random }: Now): SignIn => ({
  failures: failures + 1,
  retryAtMs: nowMs + Math.max(FLOOR_MS, Math.round(random * Math.min(CAP_MS, BASE_MS * 2 ** failures))),
})

/**
 * The session after a failure of one of its items, which may be a refused sign-in. Where a trial is set it stays, or
 * comes later if the server asks for that: so 500 chunks that are refused together are one refusal.
 */
export function signInFailed(session: SessionRecord, failure: Failure, now: Now): SessionRecord {
  if (!isBlocked({ lastError: failure })) return session
  const { failures, retryAtMs } = session.signIn ?? nextTrial(0, now)
  const askedMs = now.nowMs + failure.retryAfterMs
  return { ...session, signIn: { failures, retryAtMs: Math.max(retryAtMs, askedMs) } }
}

/**
 * The next trial when an upload went through: within a minute, and of everything that waits.
 *
 * @param own whether it was the session's; another one may go elsewhere, or as somebody else: its success is a hint
 */
export const signInWorks = ({ failures, retryAtMs }: SignIn, own: boolean, nowMs: number): SignIn => ({
  failures: own ? 0 : failures,
  retryAtMs: Math.min(retryAtMs, nowMs + FLOOR_MS),
})
