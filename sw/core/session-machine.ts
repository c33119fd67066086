import type { ChunkId } from '../../src/protocol/ids.ts'
import { changeChunk, inLog } from './change-chunk.ts'
import type { ChunkEvent } from './chunk-machine.ts'
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
  Listing,
  PageRange,
  SessionRecord,
} from './record.ts'
import { isRecent, tellsOfOthers, triesOf, type Now } from './retry-policy.ts'
import type { CompletionEvent, SessionEvent } from './session-event.ts'
import { EMPTY_TALLY, isSettled, missingChunks, NO_SUMS, statusOf, totalChunks } from './session.ts'
import { TRIAL_KINDS } from './trial.ts'
import { clearError, errorOf, fail, tell } from './trouble.ts'
import { holdBack, hope, tryAll, tryParked } from './try-again.ts'
import { PROVED_TOGETHER_MS } from './waits.ts'
import { isWitnessOwed, NOT_WITNESSED, witnessStep, type WitnessEvent } from './witnessing.ts'

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
    case 'recounted':
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
  apply(draft, event, heads)
  return draft.done()
}

function apply(draft: Draft, event: SessionEvent, heads: readonly HeadRecord[]): void {
  const { session } = draft
  // What was under way as a person resumed it was refused for how it was before. It is tried again at once, as all else is;
  // but what time alone heals, such as a wait in vain, counts.
  if ('event' in event && event.event.type === 'failed') {
    const { code, of = session } = event.event.failure
    if (of.resumedAtMs !== session.resumedAtMs && triesOf(code) < Infinity) return
  }
  switch (event.type) {
    case 'session-started':
      draft.append('start')
      draft.log(event.type, { to: session.ending })
      return
    case 'chunk-admitted':
      // Nothing follows a complete end in the log.
      if (session.ending === 'complete') return
      // Whoever was taken for dead lives, or its page's successor does; its lock tells of the next death.
      draft.set({ ending: 'recording' })
      draft.put(inLog(draft, event.chunk))
      draft.log('acknowledged', { index: event.chunk.index, to: event.chunk.state.status })
      return
    case 'noted':
      // One that is known, or comes too late.
      if (event.index < session.notes || session.ending === 'complete') return
      draft.append(event)
      draft.set({ ending: 'recording', notes: event.index + 1 })
      draft.log(event.type)
      return
    case 'chunk':
      for (const chunk of draft.chunks) applyToChunk(draft, chunk, event.event)
      return
    case 'session-ended':
      return end(draft, event)
    case 'paused':
      // A person's choice stays; whoever did not know of it yet is told that it looks anew.
      draft.set({ paused: session.paused === true || (event.by ?? true) })
      draft.requeue()
      return
    case 'resumed':
      // Trials are set anew by what fails again.
      draft.set({ changedAtMs: 0, trials: undefined })
      if (event.byPerson) draft.set({ paused: !!session.damaged, resumedAtMs: draft.now.nowMs })
      tryAll(draft)
      draft.requeue()
      // A visit mends nothing by itself: since when it fails is told on.
      if (event.byPerson) clearError(draft)
      return
    case 'adopted':
      return adopt(draft, event.here, heads)
    case 'must-wait':
      return tell(draft, event.error, event.untilMs)
    case 'held-back':
      return holdBack(draft)
    case 'recounted':
      return countAnew(draft)
    case 'trial-due':
      return tryParked(draft, event)
    case 'hoped':
      return hope(draft, event.of)
    case 'listing-began':
      return beginListing(draft, event.of)
    case 'listing':
      if (isInFlight(session, event.of)) stepListing(draft, event)
      return
    case 'page-stored':
      if (isInFlight(session, event.of)) list(draft, event)
      return
    case 'witness':
      // Another worker's may be late: the chain holds it all.
      if (isWitnessOwed(session)) step(draft, 'witnessing', event.event, witnessStep)
      return
    case 'anchor-confirmed':
      return conclude(draft, event.anchored, heads)
    case 'anchor-seen':
      if (!session.anchored) return
      draft.set({ anchored: event.anchored })
      if (!event.anchored) draft.log('anchor-lost')
      return
    case 'completion':
      return step(draft, 'completion', event.event, toldAfter)
    case 'discarded':
      draft.effect(['deleteSession', session.id])
      forgetKey(draft)
      draft.log(event.type, { from: session.ending })
      return
  }
}

function applyToChunk(draft: Draft, chunk: ChunkRecord, event: ChunkEvent): void {
  const after = changeChunk(draft, chunk, event)
  if (!after) return
  if (event.type === 'failed') {
    fail(draft, event.failure, after.effort)
    // One that is refused again, on trial, is still one.
    const isFirst = chunk.state.seal && !chunk.effort?.onTrial
    if (isFirst && isParked(after.effort) && tellsOfOthers(event.failure))
      draft.set({ refused: (draft.session.refused ?? 0) + 1 })
  }
  const { trouble } = draft.session
  if (event.type === 'sealed' && chunk.effort?.lastError?.code === trouble?.error.code) clearError(draft)
  if (event.type === 'stored') {
    clearError(draft)
    if (statusOf(after, draft.session) === 'anchoring') lookBy(draft, draft.now.nowMs + PROVED_TOGETHER_MS)
    draft.set({ refused: undefined })
    // Any upload shows that a sign-in works; that a refusal is over only one of what was refused before.
    const { onTrial, failures = 0 } = chunk.effort ?? {}
    hope(draft, onTrial && failures > 0 ? TRIAL_KINDS : ['sign-in'], true)
  }
}

/** There is something new to ask the chain for. Whoever backs off after a failure, or is parked, still does. */
function lookBy(draft: Draft, atMs: number): void {
  const { witnessing } = draft.session
  const notBeforeMs = Math.min(witnessing.notBeforeMs, atMs)
  if (!witnessing.lastError) draft.set({ witnessing: { ...witnessing, notBeforeMs } })
}

/**
 * The page's word that a recording is whole counts even after its death was noticed; not the other way round. It counts
 * only where every chunk is here that the page has cut.
 */
function end(draft: Draft, told: Extract<SessionEvent, { type: 'session-ended' }>): void {
  const { session } = draft
  const { indexes = session.indexes } = told
  const ending = missingChunks(session, indexes) > 0 ? 'interrupted' : told.ending
  const knowsAll = session.ending === ending && session.indexes === indexes
  if (knowsAll || session.ending === 'complete') return
  const { completion = told.tell ? NEW_EFFORT : undefined } = session
  draft.set({ ending, endedAtMs: draft.now.nowMs, indexes, completion })
  draft.log('session-ended', { from: session.ending, to: ending })
  appendEnd(draft, true)
}

/**
 * What it counts is what there is. A chunk whose record is lost can be brought nowhere: the rest goes on, and the
 * recording is no whole one.
 */
function countAnew(draft: Draft): void {
  const { session, chunks } = draft
  const lost = totalChunks(session) - chunks.length
  draft.set({ tally: EMPTY_TALLY, ...NO_SUMS, lost: (session.lost ?? 0) + lost })
  for (const chunk of chunks) draft.put(chunk)
  clearError(draft)
  draft.log('recounted')
}

/**
 * What is confirmed stays so, where it was. Of all else nothing is proved here: chunks, pages and heads are asked for
 * before they are sent, and the chain is looked at afresh. The pages and heads are the same. The next look lets it go on.
 */
function adopt(draft: Draft, here: string, heads: readonly HeadRecord[]): void {
  const { session } = draft
  if (!belongsElsewhere(session, here) || isSettled(session)) return
  for (const chunk of draft.chunks) changeChunk(draft, chunk, { type: 'proof-expired' })
  draft.set({
    identity: here,
    listing: undefined,
    expired: heads[0] && toAskFor(heads),
    witnessing: { ...NOT_WITNESSED, sent: true },
    anchored: undefined,
  })
  clearError(draft)
  draft.log('adopted')
}

/**
 * The next page: only where none is in flight, and it begins where the last one ended or is to be asked for again.
 */
function beginListing(draft: Draft, listing: Listing): void {
  const { session } = draft
  const { tally, listed, expired } = session
  const { size } = listing.tree
  const isNew = size > listed.tree.size
  const { from } = listing.frame
  const isDue = isNew ? from === pageBefore(listed, size, from).tree.size : size === expired?.[0]?.to
  if (session.listing || !isDue) return
  // Proved chunks that no page has yet; those of an older one are counted as listed.
  const proved = !isNew ? 0 : isCut(session, listing) ? draft.chunks.length : tally.uploaded
  draft.set({
    listing,
    paging: undefined,
    tally: { ...tally, uploaded: tally.uploaded - proved, manifesting: proved },
  })
}

/** Whether this page, as somebody read it, is the one in flight. */
const isInFlight = ({ listing }: SessionRecord, read: Listing | undefined) => listing?.page === read?.page

/** Something has come of the page in flight, or of making one. */
function stepListing(draft: Draft, { of, event }: Extract<SessionEvent, { type: 'listing' }>): void {
  const { paging = NEW_EFFORT } = draft.session
  if (!of) draft.set({ paging })
  step(draft, of ? 'listing' : 'paging', event, underWay)
}

type EffortName = 'listing' | 'paging' | 'witnessing' | 'completion'
type EffortOf<Name extends EffortName> = NonNullable<SessionRecord[Name]>

/**
 * Something has come of an effort.
 *
 * @param next how it stands then, unless it failed
 */
function step<Name extends EffortName, Event extends EffortEvent>(
  draft: Draft,
  name: Name,
  event: Event,
  next: (before: EffortOf<Name>, event: Exclude<Event, Failed>, now: Now) => Effort,
): void {
  const { session, now } = draft
  const before = session[name] as EffortOf<Name> | undefined
  if (!before) return
  const hasFailed = event.type === 'failed'
  const { of = session } = hasFailed ? event.failure : {}
  // Each failure counts once, and may be told again.
  if (before.failures > (of[name]?.failures ?? 0)) return
  const after = hasFailed
    ? { ...afterFailedEffort(before, event.failure, now), handing: undefined }
    : next(before, event as never, now)
  draft.set({ [name]: after })
  if (hasFailed) fail(draft, event.failure, after)
  if (isProgress(event, session)) clearError(draft, true)
  if (event.type !== 'look-again') draft.log(event.type, { error: errorOf(event) })
}

/** The page is stored: what it lists goes on, and its head is to be witnessed. */
function list(draft: Draft, { of, listed, head }: Extract<SessionEvent, { type: 'page-stored' }>): void {
  const { tally } = draft.session
  const expired = draft.session.expired?.filter(({ to }) => to !== of.tree.size)
  draft.set({
    listing: undefined,
    listed,
    expired: expired?.length ? expired : undefined,
    tally: { ...tally, manifesting: 0, anchoring: tally.anchoring + tally.manifesting },
  })
  clearError(draft, true)
  lookBy(draft, 0)
  draft.effect(['putHead', { ...head, provedAtMs: draft.now.nowMs }])
  // A complete end is signed once.
  if (head.end) forgetKey(draft)
  draft.log('page-stored')
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
function conclude(draft: Draft, anchored: Anchored, heads: readonly HeadRecord[]): void {
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
    changeChunk(draft, chunk, { type: isFresh ? 'anchor-confirmed' : 'proof-expired' })
  }
  const isNews = anchored.size > (before.anchored?.size ?? 0)
  // Each look finds what the last one found: that says nothing of the head that is on its way.
  if (!isNews && draft.session === before) return
  const { witnessing } = draft.session
  const taken = anchored.size < witnessing.submitted ? witnessing.taken : 0
  draft.set({ witnessing: { ...again(witnessing), taken } })
  if (isNews) {
    draft.set({ anchored })
    const head = heads.at(-1)
    if (head) draft.effect(['putHead', { ...head, anchored }])
    draft.log('anchored')
  }
  clearError(draft, true)
}
