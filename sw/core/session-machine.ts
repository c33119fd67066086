import type { WireError } from '../../src/protocol/errors.ts'
import type { ChunkId } from '../../src/protocol/ids.ts'
import type { SessionEnding } from '../../src/protocol/snapshot.ts'
import { chunkAfter, type ChunkEvent } from './chunk-machine.ts'
import { appendEnd, createDraft, forgetKey, type Draft, type SessionTransition } from './draft.ts'
import {
  again,
  afterFailedEffort,
  isParked,
  NEW_EFFORT,
  underWay,
  type Failed,
  type UnderWay,
} from './effort.ts'
import { expiredPages, toAskFor } from './expired-pages.ts'
import { belongsElsewhere } from './identity.ts'
import { pageBefore } from './listing.ts'
import type {
  Anchored,
  ChunkRecord,
  Completion,
  Effort,
  HeadRecord,
  Listed,
  Listing,
  MayLeave,
  PageRange,
  SessionRecord,
  TrialKind,
} from './record.ts'
import { isRecent, tellsOfOthers, trialOf, type Now } from './retry-policy.ts'
import { isSettled, missingChunks, statusOf } from './session.ts'
import { isHeldBack, nextTrial, sooner, TRIAL_KINDS, withTrial } from './trial.ts'
import { clearError, fail, tell, wireOf } from './trouble.ts'
import { isWitnessOwed, NOT_WITNESSED, witnessStep, type WitnessEvent } from './witnessing.ts'

/** What can happen to a session. Its chunks change with it, in the same transaction. */
export type SessionEvent =
  | { readonly type: 'session-started' }
  | { readonly type: 'chunk-admitted'; readonly chunk: ChunkRecord }
  | { readonly type: 'chunk'; readonly id: ChunkId; readonly event: ChunkEvent }
  /** `indexes`: how many chunks its page has cut, where that is what tells the end. */
  | {
      readonly type: 'session-ended'
      readonly ending: Exclude<SessionEnding, 'recording'>
      readonly indexes?: number | undefined
      /** The app is to be told once it is settled. */
      readonly tell?: boolean
    }
  /** `by`: how, where it is no person's choice; that stays. */
  | { readonly type: 'paused'; readonly by?: SessionRecord['paused'] }
  /** A person or the app: goes on after a pause, and tries whatever is parked, now. */
  | { readonly type: 'resumed' }
  /** The app has it go where this worker goes: of what is not confirmed nothing is proved there. */
  | { readonly type: 'adopted'; readonly here: string }
  /**
   * It does not go on, and passes until then (ms since the epoch): whom it goes to next has asked another session for a
   * wait, or does not answer.
   */
  | { readonly type: 'must-wait'; readonly error: WireError; readonly untilMs: number }
  /** Its chunks are to wait with those that were refused, or need not any more. */
  | { readonly type: 'held-back' }
  /**
   * The time of the next trial of what is parked has come. `isShared`: another session's stands for it, which was refused
   * together with it.
   */
  | {
      readonly type: 'trial-due'
      readonly of: TrialKind
      readonly mayLeave: MayLeave
      readonly isShared?: boolean
    }
  /**
   * There is hope for what is parked for these: a person arrived; or an upload of another session went through, which may
   * go elsewhere, or as somebody else, but its sign-in may be this one's.
   */
  | { readonly type: 'hoped'; readonly of: readonly TrialKind[] }
  /** A page was made of the entries that no page has yet: up to `listing.tree.size`. */
  | { readonly type: 'listing-began'; readonly of: Listing }
  /** `of`: the page as it was read; undefined: none could be made. Where another one is in flight by now, nothing changes. */
  | { readonly type: 'listing'; readonly of: Listing | undefined; readonly event: UnderWay | Failed }
  /** That page is proved to be stored, and its head is signed. */
  | {
      readonly type: 'page-stored'
      readonly of: Listing
      readonly listed: Listed
      readonly head: Omit<HeadRecord, 'provedAtMs'>
    }
  | { readonly type: 'witness'; readonly event: WitnessEvent }
  /** The chain holds this head, at the wanted depth and in its newest block. */
  | { readonly type: 'anchor-confirmed'; readonly anchored: Anchored }
  /** The chain was looked at for what settled the session; undefined: that is gone, and is witnessed again. */
  | { readonly type: 'anchor-seen'; readonly anchored: Anchored | undefined }
  | { readonly type: 'completion'; readonly event: CompletionEvent }
  | { readonly type: 'discarded' }

/** What can come of telling the app that a session has settled. */
export type CompletionEvent =
  /** It knows that so many entries are. */
  { readonly type: 'told'; readonly size: number } | Failed

/** What can come of any effort. */
type EffortEvent = UnderWay | Failed | WitnessEvent | CompletionEvent

/**
 * Which of the session's chunks the transition has to be given: one, all, none, or the proved ones with these places in
 * the log.
 */
export function chunksNeeded(event: SessionEvent): ChunkId | 'all' | PageRange | undefined {
  switch (event.type) {
    case 'chunk':
      return event.id
    case 'paused':
    case 'resumed':
    case 'adopted':
    case 'held-back':
      return 'all'
    case 'trial-due':
      return event.isShared ? undefined : 'all'
    case 'anchor-confirmed':
      return { from: 0, to: event.anchored.size }
  }
  return undefined
}

/** Whether more follows a page of new entries that begins: then the proved chunks among these are counted. */
export const isCut = ({ listed, size }: SessionRecord, { tree }: Listing) =>
  listed.tree.size < tree.size && tree.size < size

/**
 * The whole lifecycle of a session: (session, its chunks, event, now) to (records, effects), without side effects. An
 * event that is late, or that tells of another page than the one in flight, is not accepted and changes nothing: the
 * drain's lock is for progress, this is the fence.
 *
 * @param chunks as `chunksNeeded` says, by index
 * @param heads as `headsNeeded` says, by size
 * @returns undefined where the event is not accepted
 */
export function sessionTransition(
  session: SessionRecord,
  chunks: readonly ChunkRecord[],
  event: SessionEvent,
  now: Now,
  heads: readonly HeadRecord[] = [],
): SessionTransition | undefined {
  const draft = createDraft(session, chunks, now)
  return apply(draft, event, heads) ? draft.done() : undefined
}

/** @returns false where the event changes nothing */
function apply(draft: Draft, event: SessionEvent, heads: readonly HeadRecord[]): boolean {
  const { session } = draft
  switch (event.type) {
    case 'session-started':
      draft.append('start')
      draft.log({ event: event.type, to: session.ending })
      return true
    case 'chunk-admitted':
      // Nothing follows a complete end in the log.
      if (session.ending === 'complete') return false
      // Whoever was taken for dead lives, or its page's successor does; its lock tells of the next death.
      draft.set({ ending: 'recording' })
      draft.put(inLog(draft, event.chunk))
      draft.log({ index: event.chunk.index, event: 'acknowledged', to: event.chunk.state.status })
      return true
    case 'chunk': {
      const [chunk] = draft.chunks
      return !!chunk && applyToChunk(draft, chunk, event.event)
    }
    case 'session-ended':
      return end(draft, event)
    case 'paused':
      if (event.by !== undefined && session.paused === true) return false
      setPaused(draft, event.by ?? true)
      return true
    case 'resumed':
      setPaused(draft, false)
      applyToChunks(draft, draft.chunks, { type: 'resumed' })
      tryStepsAgain(draft, () => true)
      clearError(draft)
      return true
    case 'adopted':
      return adopt(draft, event.here, heads)
    case 'must-wait':
      tell(draft, event.error, event.untilMs)
      return draft.session !== session
    case 'held-back':
      return holdBack(draft)
    case 'trial-due':
      return tryParked(draft, event)
    case 'hoped':
      hope(draft, event.of)
      return draft.session !== session
    case 'listing-began':
      return beginListing(draft, event.of)
    case 'listing':
      return isInFlight(session, event.of) && stepListing(draft, event)
    case 'page-stored':
      return isInFlight(session, event.of) && list(draft, event)
    case 'witness':
      // Another worker's may be late: the chain holds it all.
      return isWitnessOwed(session) && step(draft, 'witnessing', session.witnessing, event.event, witnessStep)
    case 'anchor-confirmed':
      return conclude(draft, event.anchored, heads)
    case 'anchor-seen':
      if (!session.anchored) return false
      draft.set({ anchored: event.anchored })
      if (!event.anchored) draft.log({ event: 'anchor-lost' })
      return true
    case 'completion':
      return step(draft, 'completion', session.completion, event.event, toldAfter)
    case 'discarded':
      draft.effect(['deleteSession', session.id])
      forgetKey(draft)
      draft.log({ event: event.type, from: session.ending })
      return true
  }
}

/** @returns false where the event changes nothing */
function applyToChunk(draft: Draft, chunk: ChunkRecord, event: ChunkEvent): boolean {
  const next = chunkAfter(chunk, event, draft.now)
  if (!next) return false
  const isStored = event.type === 'stored'
  const after = event.type === 'sealed' ? inLog(draft, next) : next
  draft.put(after, chunk)
  if (event.type === 'sealed') draft.effect(['putPayload', chunk.id, event.bytes])
  if (event.type === 'anchor-confirmed') draft.effect(['deletePayload', chunk.id])
  draft.log({
    ...lineOf(event),
    index: chunk.index,
    from: chunk.state.status,
    to: after.state.status,
  })
  if (event.type === 'failed') {
    fail(draft, event.failure, after.effort)
    if (chunk.state.seal && isParked(after.effort) && tellsOfOthers(event.failure))
      draft.set({ refused: (draft.session.refused ?? 0) + 1 })
  }
  if (isStored || event.type === 'resumed') clearError(draft)
  if (isStored) {
    if (statusOf(after, draft.session) === 'anchoring') lookNow(draft)
    if (draft.session.refused) draft.set({ refused: undefined })
    // Any upload shows that a sign-in works; that a refusal is over only one of what was refused before.
    const { onTrial, failures = 0 } = chunk.effort ?? {}
    hope(draft, onTrial && failures > 0 ? TRIAL_KINDS : ['sign-in'], true)
  }
  return true
}

function applyToChunks(draft: Draft, chunks: readonly ChunkRecord[], event: ChunkEvent): void {
  for (const chunk of chunks) applyToChunk(draft, chunk, event)
}

/** What the custody log says of any event that can be a failure. */
const lineOf = (event: ChunkEvent | EffortEvent) => ({
  event: event.type,
  error: event.type === 'failed' ? wireOf(event.failure) : undefined,
})

/** The chunk with its place in the log, where it is sealed. */
function inLog(draft: Draft, chunk: ChunkRecord): ChunkRecord {
  if (!chunk.state.seal) return chunk
  const placed = { ...chunk, position: draft.session.size }
  draft.append(placed)
  return placed
}

/** There is something new to ask the chain for. Whoever backs off after a failure, or is parked, still does. */
function lookNow(draft: Draft): void {
  const { witnessing } = draft.session
  if (!witnessing.lastError) draft.set({ witnessing: { ...witnessing, notBeforeMs: 0 } })
}

/**
 * The page's word that a recording is whole counts even after its death was noticed; not the other way round. It counts
 * only where every chunk is here that the page has cut.
 */
function end(draft: Draft, told: Extract<SessionEvent, { type: 'session-ended' }>): boolean {
  const { session } = draft
  const { indexes = session.indexes } = told
  const ending = missingChunks(session, indexes) > 0 ? 'interrupted' : told.ending
  const knowsAll = session.ending === ending && session.indexes === indexes
  if (knowsAll || session.ending === 'complete') return false
  const { completion = told.tell ? NEW_EFFORT : undefined } = session
  draft.set({ ending, endedAtMs: draft.now.nowMs, indexes, completion })
  draft.log({ event: 'session-ended', from: session.ending, to: ending })
  appendEnd(draft, true)
  return true
}

/** Each chunk gets its place in the queue, or loses it, as the session goes on or pauses. */
function setPaused(draft: Draft, paused: SessionRecord['paused']): void {
  draft.set({ paused })
  for (const chunk of draft.chunks) draft.put(chunk, chunk)
}

/**
 * The same as chunks are held back or let go. Trials of them begin anew: that something else has been refused for long is
 * no reason to wait for long.
 */
function holdBack(draft: Draft): boolean {
  const heldBack = isHeldBack(draft.session)
  if (heldBack === !!draft.session.heldBack) return false
  draft.set({ heldBack })
  setPaused(draft, draft.session.paused)
  const { failures = 0 } = draft.session.trials?.refusal ?? {}
  if (heldBack && failures > 1)
    draft.session = withTrial(draft.session, 'refusal', nextTrial('refusal', 0, draft.now))
  return true
}

/**
 * What is confirmed stays so, where it was. Of all else nothing is proved here: chunks and pages are asked for before
 * they are sent, and the chain is looked at afresh. The pages and heads are the same. The next look lets it go on.
 */
function adopt(draft: Draft, here: string, heads: readonly HeadRecord[]): boolean {
  const { session } = draft
  if (!belongsElsewhere(session, here) || isSettled(session)) return false
  applyToChunks(draft, draft.chunks, { type: 'proof-expired' })
  draft.set({
    identity: here,
    listing: undefined,
    expired: heads[0] && toAskFor(heads),
    witnessing: NOT_WITNESSED,
    anchored: undefined,
  })
  clearError(draft)
  draft.log({ event: 'adopted' })
  return true
}

/** Has the page in flight, and the newest head, tried now where they are `chosen`. */
function tryStepsAgain(draft: Draft, chosen: (effort: Effort) => boolean, onTrial?: boolean): boolean {
  const { listing, paging, witnessing } = draft.session
  const listingToo = listing && chosen(listing)
  const witnessToo = chosen(witnessing)
  if (paging && chosen(paging)) draft.set({ paging: undefined })
  if (listingToo) draft.set({ listing: again(listing, onTrial) })
  // Handed over again at once too.
  if (witnessToo) draft.set({ witnessing: { ...again(witnessing, onTrial), submittedAtMs: 0, taken: 0 } })
  return listingToo || witnessToo
}

/**
 * Tries what is parked for this, and may leave: of each cause the smallest chunk of those that were tried the least, and
 * one of those that are held back, or all of them once one went through; and the page in flight and the newest head, if
 * they are parked for it too.
 */
function tryParked(
  draft: Draft,
  { of, mayLeave, isShared }: Extract<SessionEvent, { type: 'trial-due' }>,
): boolean {
  const { trials, heldBack } = draft.session
  const trial = trials?.[of]
  if (!trial) return false
  const isStuck = (effort: Effort | undefined) => isParked(effort) && trialOf(effort?.lastError) === of
  const codeOf = ({ effort }: ChunkRecord) => effort?.lastError?.code
  const isHeld = ({ state, effort }: ChunkRecord) =>
    heldBack && state.status === 'uploading' && !effort?.onTrial && !isParked(effort)
  // Each other time the newest of those: where the small ones are what is refused they are not all tried first.
  const order = (a: ChunkRecord, b: ChunkRecord) =>
    trial.failures % 2 === 0 && isHeld(a) ? b.index - a.index : a.sizeBytes - b.sizeBytes
  const parked = draft.chunks.filter((chunk) => isStuck(chunk.effort) || isHeld(chunk))
  const sendable = parked
    .filter(({ state }) => mayLeave === 'all' || !state.seal)
    .sort((a, b) => a.retryCount - b.retryCount || order(a, b))
  const ofEachCause = sendable.filter(
    (chunk, at) => sendable.findIndex((other) => codeOf(other) === codeOf(chunk)) === at,
  )
  applyToChunks(draft, trial.failures > 0 ? ofEachCause : sendable, { type: 'resumed', onTrial: true })
  const remains =
    isShared || (mayLeave !== 'nothing' && tryStepsAgain(draft, isStuck, true)) || parked.length > 0
  const next = remains ? nextTrial(of, trial.failures, draft.now) : undefined
  draft.session = withTrial(draft.session, of, next)
  return true
}

/** Brings the next trials of these kinds forward. */
function hope(draft: Draft, kinds: readonly TrialKind[], worked = false): void {
  const { trials } = draft.session
  for (const of of kinds) {
    const trial = trials?.[of]
    const next = trial && sooner(trial, worked, draft.now.nowMs)
    if (next !== trial) draft.session = withTrial(draft.session, of, next)
  }
}

/**
 * The next page: only where none is in flight, and it begins where the last one ended or is to be asked for again.
 */
function beginListing(draft: Draft, listing: Listing): boolean {
  const { session } = draft
  const { tally, listed, expired } = session
  const { size } = listing.tree
  const isNew = size > listed.tree.size
  const isDue = isNew ? listing.frame.from === pageBefore(listed, size).tree.size : size === expired?.[0]?.to
  if (session.listing || !isDue) return false
  // Proved chunks that no page has yet; those of an older one are counted as listed.
  const proved = !isNew ? 0 : isCut(session, listing) ? draft.chunks.length : tally.uploaded
  draft.set({
    listing,
    paging: undefined,
    tally: { ...tally, uploaded: tally.uploaded - proved, manifesting: proved },
  })
  return true
}

/** Whether this page, as somebody read it, is the one in flight. */
const isInFlight = ({ listing }: SessionRecord, read: Listing | undefined) => listing?.page === read?.page

/** Something has come of the page in flight, or of making one. */
function stepListing(draft: Draft, { of, event }: Extract<SessionEvent, { type: 'listing' }>): boolean {
  const { listing, paging = NEW_EFFORT } = draft.session
  return of
    ? step(draft, 'listing', listing, event, underWay)
    : step(draft, 'paging', paging, event, underWay)
}

/**
 * Something has come of an effort.
 *
 * @param next how it stands then, unless it failed
 */
function step<Of extends Effort, Event extends EffortEvent>(
  draft: Draft,
  name: 'listing' | 'paging' | 'witnessing' | 'completion',
  before: Of | undefined,
  event: Event,
  next: (before: Of, event: Exclude<Event, Failed>, now: Now) => Of,
): boolean {
  if (!before) return false
  const { session, now } = draft
  const hasFailed = event.type === 'failed'
  const after = hasFailed
    ? { ...afterFailedEffort(before, event.failure, now), handing: undefined }
    : next(before, event as never, now)
  draft.set({ [name]: after })
  if (hasFailed) fail(draft, event.failure, after)
  if (isProgress(event, session)) clearError(draft)
  if (event.type !== 'look-again') draft.log(lineOf(event))
  return true
}

/** The page is stored: what it lists goes on, and its head is to be witnessed. */
function list(draft: Draft, { of, listed, head }: Extract<SessionEvent, { type: 'page-stored' }>): boolean {
  const { tally } = draft.session
  const expired = draft.session.expired?.filter(({ to }) => to !== of.tree.size)
  draft.set({
    listing: undefined,
    listed,
    expired: expired?.length ? expired : undefined,
    tally: { ...tally, manifesting: 0, anchoring: tally.anchoring + tally.manifesting },
  })
  clearError(draft)
  lookNow(draft)
  draft.effect(['putHead', { ...head, provedAtMs: draft.now.nowMs }])
  // A complete end is signed once.
  if (head.end) forgetKey(draft)
  draft.log({ event: 'page-stored' })
  return true
}

/** In vain it is told again, and nothing else waits for that. */
const toldAfter = (_before: Completion, { size }: Exclude<CompletionEvent, Failed>): Completion => ({
  ...NEW_EFFORT,
  told: size,
})

/** Whether what held it up is over. An intent does not show that, nor a look that finds nothing. */
function isProgress(event: EffortEvent, { trouble, witnessing }: SessionRecord): boolean {
  if (event.type !== 'look-again') return event.type === 'told'
  return event.shown >= witnessing.submitted || (event.handed && trouble?.error.code !== 'anchor-unseen')
}

/**
 * What the chain holds, and the store was lately proved to have, is deleted here; an older proof is asked for again. A
 * chunk is found by its page and the newer ones, and opened by the first: none of them may be waited for.
 */
function conclude(draft: Draft, anchored: Anchored, heads: readonly HeadRecord[]): boolean {
  const before = draft.session
  const expired = expiredPages(before, draft.chunks, heads, draft.now)
  if (expired !== before.expired) draft.set({ expired })
  const next = expired?.[0]
  const relied = next?.from === 0 ? Infinity : (next?.to ?? 0)
  for (const chunk of draft.chunks) {
    if (statusOf(chunk, before) !== 'anchoring') continue
    const { uploadedAtMs = Infinity } = chunk.state
    const isFresh = isRecent(uploadedAtMs, draft.now)
    if (isFresh && (chunk.position ?? 0) < relied) continue
    applyToChunk(draft, chunk, { type: isFresh ? 'anchor-confirmed' : 'proof-expired' })
  }
  const isNews = anchored.size > (before.anchored?.size ?? 0)
  // Each look finds what the last one found: that says nothing of the head that is on its way.
  if (!isNews && draft.session === before) return false
  const { witnessing } = draft.session
  const taken = anchored.size < witnessing.submitted ? witnessing.taken : 0
  draft.set({ witnessing: { ...again(witnessing), taken } })
  if (isNews) {
    draft.set({ anchored })
    draft.log({ event: 'anchored' })
  }
  clearError(draft)
  return true
}
