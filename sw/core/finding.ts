import { CLOSED, type Circuit } from './circuit.ts'
import { belongsElsewhere } from './identity.ts'
import { listingDueMs } from './listing.ts'
import type { SessionRecord } from './record.ts'
import type { SessionEvent } from './session-event.ts'
import { FAILURES_TO_TELL } from './limits.ts'
import { isAhead } from './retry-policy.ts'
import { isHeldBack } from './trial.ts'
import { isSettled, pendingChunks } from './session.ts'
import { isWitnessOwed } from './witnessing.ts'

/** Whether it asks the store next. */
export const needsStore = (session: SessionRecord) =>
  pendingChunks(session) > 0 || listingDueMs(session) < Infinity

/** Whom sessions bring their chunks and pages to, and their heads, by how they are. */
export interface Destinations {
  readonly listing: Circuit
  readonly witness: Circuit
  /** The app, which is told once it has settled. */
  readonly completion: Circuit
}

/** The health of whom the session asks next: what has settled has the app to tell; one that asks nobody waits for none. */
function askedNext(session: SessionRecord, of: Destinations): Circuit {
  if (needsStore(session)) return of.listing
  if (isWitnessOwed(session)) return of.witness
  return isSettled(session) ? of.completion : CLOSED
}

/**
 * What a session is to be told before anything starts: that it belongs elsewhere, or does not any more; that its chunks
 * are to wait with those that were refused, or need not any more; or that a server does not answer, or has asked for a wait,
 * which this session needs next too, and has not met itself.
 *
 * @param here whom this worker brings things to
 * @param silentUntilMs until when nothing may be heard of what it waits for, ms since the epoch; 0: something is
 */
export function finding(
  session: SessionRecord,
  here: string,
  destinations: Destinations,
  nowMs: number,
  silentUntilMs = 0,
): SessionEvent | undefined {
  const { paused, trouble } = session
  // What is settled goes nowhere any more: the app may be told of it from here.
  const isElsewhere = belongsElsewhere(session, here) && !isSettled(session)
  if (isElsewhere ? !paused : paused === 'elsewhere')
    return { type: 'paused', by: isElsewhere && 'elsewhere' }
  if (!paused && isAhead(session.changedAtMs, nowMs)) return { type: 'resumed' }
  if (!paused && isHeldBack(session) !== !!session.heldBack) return { type: 'held-back' }
  const { floorMs, failures, notBeforeMs, code = 'timeout' } = askedNext(session, destinations)
  const isAsked = floorMs > nowMs
  const isStanding = silentUntilMs > 0 || failures >= FAILURES_TO_TELL
  if (paused || trouble || (!isAsked && !isStanding)) return undefined
  const error = { code: isAsked ? 'throttled' : code, message: 'It waits for its server.' } as const
  return { type: 'must-wait', error, untilMs: Math.max(notBeforeMs, silentUntilMs) }
}
