import { changeChunk } from './change-chunk.ts'
import type { Draft } from './draft.ts'
import { again, isParked } from './effort.ts'
import type { ChunkRecord, Effort, MayLeave, Trial, TrialKind } from './record.ts'
import { trialOf } from './retry-policy.ts'
import { isHeldBack, nextTrial, sooner } from './trial.ts'

// What is parked is tried again: all of it where a person asks for that, some of it by a trial. When that comes is
// trial.ts.

/** Has everything tried now that waits, or is parked. */
export function tryAll(draft: Draft): void {
  for (const chunk of draft.chunks) changeChunk(draft, chunk, { type: 'resumed' })
  trySteps(draft, () => true)
}

/** A trial of what is parked for this, which takes what may leave. */
export interface DueTrial {
  readonly of: TrialKind
  readonly mayLeave: MayLeave
  /** Another session's stands for it, which was refused together with it. */
  readonly isShared?: boolean | undefined
  /** Of the trial that is due: one that is told again is over. */
  readonly setAtMs: number
}

/**
 * Tries what is parked for this, and may leave: chunks, and the page in flight and the newest head, if they are parked for
 * it too. The next trial is set before this one ends.
 */
export function tryParked(draft: Draft, { of, mayLeave, isShared, setAtMs }: DueTrial): void {
  const { trials, heldBack } = draft.session
  const trial = trials?.[of]
  if (trial?.setAtMs !== setAtMs) return
  const isStuck = (effort: Effort | undefined) => isParked(effort) && trialOf(effort?.lastError) === of
  const isHeld = ({ state, effort }: ChunkRecord) =>
    heldBack && state.status === 'uploading' && !effort?.onTrial && !isParked(effort)
  const waiting = draft.chunks.filter((chunk) => isStuck(chunk.effort) || isHeld(chunk))
  const sendable = waiting.filter(({ state }) => mayLeave === 'all' || of === 'sign-in' || !state.seal)
  const chosen = trial.failures > 0 ? oneOfEachCause(sendable, trial, of) : sendable
  for (const chunk of chosen) changeChunk(draft, chunk, { type: 'resumed', onTrial: true })
  const steps = mayLeave !== 'nothing' && trySteps(draft, isStuck, true)
  const remains = isShared || steps || waiting.length > 0
  draft.set({
    trials: { ...trials, [of]: remains ? nextTrial(of, trial.failures, draft.now) : undefined },
  })
}

/**
 * Of each cause, and of those that are held back, the smallest chunk of those that were tried the least; a sign-in is one
 * cause for all.
 */
function oneOfEachCause(chunks: ChunkRecord[], { failures }: Trial, of: TrialKind): ChunkRecord[] {
  // Each other time the newest of those: where the small ones are what is refused they are not all tried first.
  const isNewestFirst = (chunk: ChunkRecord) => failures % 2 === 0 && !isParked(chunk.effort)
  const order = (a: ChunkRecord, b: ChunkRecord) =>
    a.retryCount - b.retryCount || (isNewestFirst(a) ? b.index - a.index : a.sizeBytes - b.sizeBytes)
  const reversed = chunks.sort(order).reverse()
  const firstOf = new Map(reversed.map((chunk) => [of === 'refusal' && chunk.effort?.lastError?.code, chunk]))
  return [...firstOf.values()]
}

/** Has the page in flight, and the newest head, tried now where they are `chosen`. */
function trySteps(draft: Draft, chosen: (effort: Effort) => boolean, onTrial?: boolean): boolean {
  const { listing, paging, witnessing, completion } = draft.session
  const listingToo = listing && chosen(listing)
  const witnessToo = chosen(witnessing)
  if (paging && chosen(paging)) draft.set({ paging: undefined })
  if (completion && chosen(completion)) draft.set({ completion: again(completion) })
  if (listingToo) draft.set({ listing: again(listing, onTrial) })
  // Handed over again at once too.
  if (witnessToo) draft.set({ witnessing: { ...again(witnessing, onTrial), submittedAtMs: 0 } })
  return listingToo || witnessToo
}

/**
 * Chunks are to wait with those that were refused, or need not any more. Trials of them begin anew: that something else
 * has been refused for long is no reason to wait for long.
 */
export function holdBack(draft: Draft): void {
  const heldBack = isHeldBack(draft.session)
  if (heldBack === !!draft.session.heldBack) return
  const { trials } = draft.session
  const isOld = heldBack && (trials?.refusal?.failures ?? 0) > 1
  draft.set({
    heldBack,
    trials: isOld ? { ...trials, refusal: nextTrial('refusal', 0, draft.now) } : trials,
  })
  draft.requeue()
}

/**
 * Brings the next trials of these kinds forward.
 *
 * @param worked what is tried goes through again
 */
export function hope(draft: Draft, kinds: readonly TrialKind[], worked = false): void {
  for (const of of kinds) {
    const { trials } = draft.session
    const trial = trials?.[of]
    const next = trial && sooner(trial, worked, draft.now.nowMs)
    if (next !== trial) draft.set({ trials: { ...trials, [of]: next } })
  }
}
