import type { WireError } from '../../src/protocol/errors.ts'
import type { Draft } from './draft.ts'
import { isParked } from './effort.ts'
import type { Effort, SessionRecord } from './record.ts'
import { isReportable, type Failure } from './retry-policy.ts'
import { isOpen, pendingChunks } from './session.ts'
import { afterRefusal } from './trial.ts'

// What a person is told of a session: what does not go on, since when, and until when.

/** A chunk, the page in flight or the newest head has failed: what a person is told, and when what parks is tried again. */
export function fail(draft: Draft, failure: Failure, effort: Effort | undefined): void {
  if (!isReportable(failure)) return
  if (isParked(effort)) draft.set({ trials: afterRefusal(draft.session.trials, failure, draft.now) })
  const { circuitUntilMs = 0 } = failure
  tell(draft, wireOf(failure), isParked(effort) ? undefined : Math.max(effort!.notBeforeMs, circuitUntilMs))
}

const wireOf = ({ code, message }: Failure): WireError => ({ code, message })

/** What the custody log says of how something failed, if it did. */
export const errorOf = ({ failure }: { readonly type: string; readonly failure?: Failure }) =>
  failure && wireOf(failure)

/** Something is parked. */
const waitsForPerson = ({ parked, listing, witnessing }: SessionRecord) =>
  parked > 0 || isParked(listing) || isParked(witnessing)

/**
 * Tells of this trouble, unless it comes late, when the session is over; or it passes by itself (`retryAtMs`) and what a
 * person must clear is told already. The same trouble keeps the time since when it lasts.
 */
export function tell(draft: Draft, error: WireError, retryAtMs?: number): void {
  const { trouble: told } = draft.session
  if (!isOpen(draft.session) || (retryAtMs && told && waitsForPerson(draft.session))) return
  const { nowMs } = draft.now
  // A time that is yet to come is of a clock that was ahead.
  const sinceMs = told?.error.code === error.code ? Math.min(told.sinceMs, nowMs) : nowMs
  draft.set({ trouble: { error, sinceMs, retryAtMs } })
}

/**
 * Something went well: the trouble is over, unless something is still parked, or it is that of the newest head, which
 * only the chain can end, or of the page in flight, which only the store can.
 *
 * @param ofStep of a page or a head, which says nothing of the chunks that wait: they are larger
 */
export function clearError(draft: Draft, ofStep = false): void {
  const { listing, witnessing, trouble } = draft.session
  if (ofStep && pendingChunks(draft.session) > 0) return
  const isOf = (effort: Effort | undefined) => effort?.lastError?.code === trouble?.error.code
  if (waitsForPerson(draft.session) || (trouble && [listing, witnessing].some(isOf))) return
  draft.set({ trouble: undefined, trials: undefined })
}
