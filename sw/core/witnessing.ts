import { again, effortDueMs, NEW_EFFORT, type Failed } from './effort.ts'
import type { SessionRecord, Witnessing } from './record.ts'
import { resubmitDelayMs, type Now } from './retry-policy.ts'

// The newest head of a session's log goes to the chain; without an anchor, to the store. Several may be on their way:
// each holds all that the ones before it did.

/** Before the first head. */
export const NOT_WITNESSED: Witnessing = { ...NEW_EFFORT, submitted: 0, submittedAtMs: 0, taken: 0 }

/** Whether the chain is not known to hold the newest head, or something waits for its word, and not for the store's. */
export const isWitnessOwed = ({ listed, anchored, tally, expired }: SessionRecord) =>
  listed.tree.size > (anchored?.size ?? 0) || (tally.anchoring > 0 && !expired)

/**
 * When the chain is to be looked at next, ms since the epoch (0: now); never, while there is no need.
 */
export const witnessDueMs = (session: SessionRecord): number =>
  isWitnessOwed(session) ? effortDueMs(session.witnessing) : Infinity

/**
 * When the head of this size may be handed over, ms since the epoch: one that was, when it is likely lost; the next one
 * `everyMs` after it, but no sooner than that where the relay took it and the chain does not show it; the last one at
 * once.
 *
 * @param everyMs the app's choice of what anchors may cost
 */
export function submitDueMs(
  { submitted, submittedAtMs, taken }: Witnessing,
  head: { readonly size: number; readonly isLast: boolean },
  everyMs: number,
  nowMs: number,
): number {
  // A time that is yet to come is of a clock that was ahead.
  if (submitted === 0 || submittedAtMs > nowMs) return 0
  const againMs = submittedAtMs + resubmitDelayMs(taken)
  if (head.size === submitted) return againMs
  if (head.isLast) return 0
  return Math.max(submittedAtMs + everyMs, taken > 0 ? againMs : 0)
}

/** Nodes of one chain may be so many blocks apart, and be asked by turns. */
const BLOCKS_APART = 100

/** The newest block that was seen, and since when, where this one is none that came after it. */
export const standingAt = (newest: Witnessing['newest'], blockNumber: number) =>
  newest && blockNumber <= newest.blockNumber && newest.blockNumber < blockNumber + BLOCKS_APART
    ? newest
    : undefined

/** What a look at the chain found, and when the next one is due, ms since the epoch. */
export interface Looked {
  readonly atMs: number
  /** The size of the head in the newest block, 0 for none. */
  readonly shown: number
  readonly blockNumber: number
  /** How often the relay has taken one in vain. */
  readonly taken: number
}

/** What can happen to the newest head. */
export type WitnessEvent =
  /** The intent to hand this head over is stored; the request leaves after that. */
  | (Looked & { readonly type: 'anchor-sent'; readonly size: number })
  /** The same, where it goes to the store. */
  | { readonly type: 'send-began'; readonly size: number }
  /** The transport keeps something for later attempts at this head. */
  | { readonly type: 'resume-token-saved'; readonly resumeToken: string; readonly size: number }
  /** Nothing to do before that time but look again. `handed`: the relay took the newest one just now, which says nothing of the chain. */
  | (Looked & { readonly type: 'look-again'; readonly handed: boolean })
  | Failed

/** How it stands after an event. */
export function witnessStep(
  witnessing: Witnessing,
  event: Exclude<WitnessEvent, Failed>,
  now: Now,
): Witnessing {
  const { type } = event
  if (type === 'resume-token-saved')
    return event.size === witnessing.submitted
      ? { ...witnessing, resumeToken: event.resumeToken }
      : witnessing
  const next =
    type === 'look-again'
      ? again(witnessing)
      : { ...witnessing, submitted: event.size, submittedAtMs: now.nowMs, taken: 0, resumeToken: undefined }
  if (type === 'send-began') return next
  const { atMs, blockNumber, taken } = event
  const isHanded = type === 'look-again' && event.handed
  return {
    ...next,
    taken: isHanded ? taken + 1 : taken,
    handing: type === 'anchor-sent',
    newest: standingAt(witnessing.newest, blockNumber) ?? { blockNumber, sinceMs: now.nowMs },
    notBeforeMs: atMs,
  }
}
