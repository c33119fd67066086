import type { WireError } from '../../src/protocol/errors.ts'
import type { ChunkId } from '../../src/protocol/ids.ts'
import type { SessionEnding } from '../../src/protocol/snapshot.ts'
import { transition as chunkTransition, waitOf, type ChunkEvent } from './chunk-machine.ts'
import { publicationStep, type PublicationEvent } from './publication.ts'
import type {
  Anchored,
  ChunkRecord,
  LogEntry,
  Publication,
  SessionRecord,
  TrialKind,
  Trouble,
  Wait,
} from './record.ts'
import { believedMs, isReportable, trialOf, type Failure, type Now } from './retry-policy.ts'
import { isParked, missingChunks, placeInQueue, recount, withOpenMarker } from './session.ts'
import { afterRefusal, afterSuccess, afterVisit, nextTrial, withTrial } from './trial.ts'

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
    }
  | { readonly type: 'paused' }
  /** A person or the app: goes on after a pause, and tries whatever is parked, now. */
  | { readonly type: 'resumed' }
  /** Nothing was begun that could wait or park: the session is parked as a whole, until a person resumes it. */
  | { readonly type: 'set-aside'; readonly error: WireError }
  /** The time of the next trial of what is parked has come. */
  | { readonly type: 'trial-due'; readonly of: TrialKind }
  /** An upload of another session went through: its sign-in may be this one's. */
  | { readonly type: 'trial-hinted' }
  /** A person arrived. */
  | { readonly type: 'visited' }
  /** The clock was ahead when times were stored: what waits for longer than anything may is due. */
  | { readonly type: 'clock-set-back' }
  /** Space is short, and comes free by confirmation alone: what is verified waits for nothing more. */
  | { readonly type: 'space-wanted' }
  | {
      readonly type: 'publication-began'
      readonly publication: Publication
      readonly chunks: ReadonlySet<ChunkId>
    }
  /** `of`: the publication as it was read. Where another one is in flight by now, nothing changes. */
  | { readonly type: 'publication'; readonly of: Publication; readonly event: PublicationEvent }
  | { readonly type: 'anchor-confirmed'; readonly of: Publication; readonly anchored: Anchored }
  | { readonly type: 'discarded' }

/** What must happen in the same transaction, beside storing the records. */
export type SessionEffect =
  /** The bytes that came with the event take the place of the chunk's. */
  | { readonly type: 'put-payload'; readonly id: ChunkId }
  | { readonly type: 'delete-payload'; readonly id: ChunkId }
  /** Nothing is left to seal. */
  | { readonly type: 'delete-seal-key' }
  | { readonly type: 'log'; readonly entry: LogEntry }
  /** An upload went through: other sessions in which something is parked are told. */
  | { readonly type: 'hint-trial' }
  | { readonly type: 'delete-session' }

export interface SessionTransition {
  readonly session: SessionRecord
  /** Those that changed. */
  readonly chunks: readonly ChunkRecord[]
  readonly effects: readonly SessionEffect[]
  /** False where the event has no meaning any more: nothing changes then. */
  readonly accepted: boolean
}

const ABOUT_ALL_CHUNKS: ReadonlySet<string> = new Set([
  'paused',
  'resumed',
  'trial-due',
  'clock-set-back',
  'publication-began',
  'manifest-stored',
  'anchor-confirmed',
] satisfies (SessionEvent | PublicationEvent)['type'][])

/** Which of the session's chunks an event has to be given: one, all, or none. */
export function chunksNeeded(event: SessionEvent): ChunkId | 'all' | 'none' {
  if (event.type === 'chunk') return event.id
  const { type } = event.type === 'publication' ? event.event : event
  return ABOUT_ALL_CHUNKS.has(type) ? 'all' : 'none'
}

/**
 * The whole lifecycle of a session: (session, its chunks, event, now) to (records, effects), without side effects. An
 * event that is late, or that tells of another publication than the one in flight, is not accepted and changes
 * nothing: the drain's lock is for progress, this is the fence.
 *
 * @param chunks as `chunksNeeded` says, by index
 */
export function sessionTransition(
  session: SessionRecord,
  chunks: readonly ChunkRecord[],
  event: SessionEvent,
  now: Now,
): SessionTransition {
  const draft = createDraft(session, chunks, now)
  if (!apply(draft, event, now)) return { session, chunks: [], effects: [], accepted: false }
  return draft.done()
}

/** A session on its way from one record to the next. */
interface Draft {
  session: SessionRecord
  readonly chunks: readonly ChunkRecord[]
  /** Replaces a chunk, with its place in the queue and its share of the tally. */
  put(after: ChunkRecord, before?: ChunkRecord): void
  effect(effect: SessionEffect): void
  log(entry: Omit<LogEntry, 'atMs' | 'sessionId'>): void
  done(): SessionTransition
}

function createDraft(before: SessionRecord, given: readonly ChunkRecord[], { nowMs }: Now): Draft {
  const present = new Map(given.map((chunk) => [chunk.id, chunk]))
  const changed = new Set<ChunkId>()
  const effects: SessionEffect[] = []
  const draft: Draft = {
    session: before,
    get chunks() {
      return [...present.values()]
    },
    put(after, replaced) {
      present.set(after.id, after)
      changed.add(after.id)
      draft.session = recount(draft.session, replaced, after)
    },
    effect: (effect) => void effects.push(effect),
    log: (entry) =>
      void effects.push({ type: 'log', entry: { atMs: nowMs, sessionId: before.id, ...entry } }),
    done() {
      const session = withOpenMarker(draft.session)
      const settled = session.open === undefined && session.sealedBy === 'worker'
      return {
        session,
        chunks: draft.chunks.filter(({ id }) => changed.has(id)).map((chunk) => placeInQueue(chunk, session)),
        effects: settled ? [...effects, { type: 'delete-seal-key' }] : effects,
        accepted: true,
      }
    },
  }
  return draft
}

/** @returns false where the event changes nothing */
function apply(draft: Draft, event: SessionEvent, now: Now): boolean {
  const { session } = draft
  switch (event.type) {
    case 'session-started':
      draft.log({ event: event.type, to: session.ending })
      return true
    case 'chunk-admitted':
      draft.put(event.chunk)
      draft.log({ index: event.chunk.index, event: 'acknowledged', to: event.chunk.state.status })
      return true
    case 'chunk':
      return applyToChunk(
        draft,
        draft.chunks.find(({ id }) => id === event.id),
        event.event,
        now,
      )
    case 'session-ended':
      return end(draft, event, now)
    case 'paused':
      draft.session = { ...session, paused: true }
      requeue(draft)
      return true
    case 'resumed':
      draft.session = { ...session, paused: false }
      requeue(draft)
      tryAgain(draft, draft.chunks, session.publication, now)
      draft.session = clearError(withoutTrials(draft.session))
      return true
    case 'set-aside':
      draft.session = withError({ ...session, paused: true }, { error: event.error, sinceMs: now.nowMs })
      return true
    case 'trial-due':
      return tryParked(draft, event.of, now)
    case 'trial-hinted': {
      const trial = session.trials?.['sign-in']
      if (trial === undefined) return false
      draft.session = withTrial(session, 'sign-in', afterSuccess(trial, false, now.nowMs))
      return true
    }
    case 'visited':
      return visited(draft, now)
    case 'clock-set-back':
      return setBack(draft, now)
    case 'space-wanted':
      if (session.tally.uploaded === 0) return false
      draft.session = { ...session, unpublishedSinceMs: 0 }
      return true
    case 'publication-began':
      return beginPublication(draft, event.publication, event.chunks, now)
    case 'publication':
      return isInFlight(session, event.of) && stepPublication(draft, event.of, event.event, now)
    case 'anchor-confirmed':
      return isInFlight(session, event.of) && conclude(draft, event.anchored, now)
    case 'discarded':
      draft.effect({ type: 'delete-session' })
      draft.effect({ type: 'delete-seal-key' })
      draft.log({ event: event.type, from: session.ending })
      return true
  }
}

function applyToChunk(draft: Draft, chunk: ChunkRecord | undefined, event: ChunkEvent, now: Now): boolean {
  if (chunk === undefined) return false
  const { chunk: after, effects, accepted } = chunkTransition(chunk, event, now)
  if (!accepted) return false
  draft.put(after, chunk)
  for (const type of effects) draft.effect({ type, id: chunk.id })
  draft.log({
    index: chunk.index,
    event: event.type,
    from: chunk.state.status,
    to: after.state.status,
    ...(event.type === 'failed' && { error: wireOf(event.failure) }),
  })
  if (event.type === 'failed')
    draft.session = afterFailure(draft.session, event.failure, waitOf(after.state), now)
  if (event.type === 'stored' || event.type === 'resumed') draft.session = clearError(draft.session)
  if (event.type === 'stored') {
    for (const of of chunk.onTrial ? TRIAL_KINDS : (['sign-in'] as const)) {
      const trial = draft.session.trials?.[of]
      if (trial) draft.session = withTrial(draft.session, of, afterSuccess(trial, true, now.nowMs))
    }
    draft.effect({ type: 'hint-trial' })
  }
  return true
}

/**
 * The page's word that a recording is whole counts even after its death was noticed; not the other way round. It counts
 * only where every chunk is here that the page has cut.
 */
function end(draft: Draft, told: Extract<SessionEvent, { type: 'session-ended' }>, now: Now): boolean {
  const { session } = draft
  const { indexes = session.indexes } = told
  const ending = missingChunks(session, indexes) > 0 ? 'interrupted' : told.ending
  const knowsAll = session.ending === ending && session.indexes === indexes
  if (knowsAll || session.ending === 'complete') return false
  draft.session = { ...session, ending, endedAtMs: now.nowMs, ...(indexes !== undefined && { indexes }) }
  draft.log({ event: 'session-ended', from: session.ending, to: ending })
  return true
}

/** Each chunk gets its place in the queue, or loses it, as the session goes on or pauses. */
function requeue(draft: Draft): void {
  for (const chunk of draft.chunks) draft.put(chunk, chunk)
}

/** Has these chunks tried now, and the publication where it is given. */
function tryAgain(
  draft: Draft,
  chunks: readonly ChunkRecord[],
  publication: Publication | undefined,
  now: Now,
  onTrial = false,
): void {
  for (const chunk of chunks) applyToChunk(draft, chunk, { type: 'resumed', onTrial }, now)
  if (publication)
    draft.session = { ...draft.session, publication: publicationStep(publication, { type: 'resumed' }, now) }
}

/**
 * Tries what is parked for this: of each cause the smallest chunk of those that were tried the least, or all of them
 * once one went through; and the publication, if that is parked for it too.
 */
function tryParked(draft: Draft, of: TrialKind, now: Now): boolean {
  const { trials, publication } = draft.session
  const trial = trials?.[of]
  if (trial === undefined) return false
  const parked = draft.chunks
    .filter((chunk) => isParked(chunk) && trialOf(chunk.lastError) === of)
    .sort((a, b) => a.retryCount - b.retryCount || a.sizeBytes - b.sizeBytes)
  const ofEachCause = parked.filter(
    ({ lastError }, at) => parked.findIndex((other) => other.lastError?.code === lastError?.code) === at,
  )
  const isStuck = publication?.wait.kind === 'parked' && trialOf(publication.lastError) === of
  const tried = trial.failures > 0 ? ofEachCause : parked
  tryAgain(draft, tried, isStuck ? publication : undefined, now, true)
  const remains = isStuck || tried.length > 0
  draft.session = withTrial(draft.session, of, remains ? nextTrial(of, trial.failures, now) : undefined)
  return true
}

function visited(draft: Draft, { nowMs }: Now): boolean {
  const before = draft.session
  for (const of of TRIAL_KINDS) {
    const trial = draft.session.trials?.[of]
    const next = trial && afterVisit(trial, nowMs)
    if (next !== trial) draft.session = withTrial(draft.session, of, next)
  }
  return draft.session !== before
}

function setBack(draft: Draft, now: Now): boolean {
  const tooLate = draft.chunks.filter(({ state }) => {
    const wait = waitOf(state)
    return wait?.kind === 'due' && believedMs(wait.notBeforeMs, now.nowMs) !== wait.notBeforeMs
  })
  for (const chunk of tooLate) applyToChunk(draft, chunk, { type: 'resumed' }, now)
  return tooLate.length > 0
}

/** Only what is still as it was read is listed: the same chunks, verified, under the same ending. */
function beginPublication(
  draft: Draft,
  publication: Publication,
  listed: ReadonlySet<ChunkId>,
  now: Now,
): boolean {
  const { session } = draft
  if (session.publication !== undefined || session.ending !== publication.ending) return false
  const covered = draft.chunks.filter(({ id }) => listed.has(id))
  const verified = covered.filter(({ state }) => state.status === 'uploaded' || state.status === 'confirmed')
  const { length } = draft.chunks.filter(({ state }) => state.status === 'confirmed')
  const confirmed = verified.filter(({ state }) => state.status === 'confirmed')
  if (verified.length !== listed.size || confirmed.length !== length) return false
  for (const chunk of verified) applyToChunk(draft, chunk, { type: 'manifest-began' }, now)
  draft.session = { ...draft.session, publication }
  return true
}

/** Whether this publication, as somebody read it, is the one in flight and at the same stage. */
function isInFlight({ publication }: SessionRecord, read: Publication): boolean {
  return (
    publication !== undefined &&
    publication.stage === read.stage &&
    publication.merkleRoot === read.merkleRoot &&
    publication.lastUpdatedMs === read.lastUpdatedMs &&
    publication.manifest?.cid === read.manifest?.cid
  )
}

function stepPublication(draft: Draft, read: Publication, event: PublicationEvent, now: Now): boolean {
  const current = draft.session.publication ?? read
  const publication = publicationStep(current, event, now)
  if (event.type === 'manifest-stored')
    for (const chunk of draft.chunks) applyToChunk(draft, chunk, { type: 'anchor-began' }, now)
  const session = { ...draft.session, publication }
  if (event.type === 'failed') draft.session = afterFailure(session, event.failure, publication.wait, now)
  else draft.session = isProgress(event, session) ? clearError(session) : session
  if (event.type !== 'look-again')
    draft.log({ event: event.type, ...(event.type === 'failed' && { error: wireOf(event.failure) }) })
  return true
}

/** Whether what held the publication up is over. An intent does not show that, nor a look that finds nothing. */
function isProgress(event: PublicationEvent, { trouble }: SessionRecord): boolean {
  switch (event.type) {
    case 'look-again':
      return event.isSeen
    case 'anchor-taken':
      return trouble?.error.code !== 'anchor-unseen'
    case 'manifest-built':
    case 'manifest-stored':
    case 'signer-changed':
    case 'resumed':
      return true
    default:
      return false
  }
}

function conclude(draft: Draft, anchored: Anchored, now: Now): boolean {
  for (const chunk of draft.chunks) applyToChunk(draft, chunk, { type: 'anchor-confirmed' }, now)
  const { publication: _done, ...rest } = draft.session
  draft.session = clearError({ ...rest, anchored })
  draft.log({ event: 'anchored', to: anchored.ending })
  return true
}

/** The session after a failure of one of its chunks, or of its publication. */
const afterFailure = (
  session: SessionRecord,
  failure: Failure,
  wait: Wait | undefined,
  now: Now,
): SessionRecord =>
  isReportable(failure)
    ? withError(
        wait?.kind === 'parked' ? afterRefusal(session, failure, now) : session,
        troubleOf(failure, wait, now),
      )
    : session

/** What a person is told of a failure. */
function troubleOf(failure: Failure, wait: Wait | undefined, { nowMs }: Now): Trouble {
  const { circuitUntilMs = 0 } = failure
  return {
    error: wireOf(failure),
    sinceMs: nowMs,
    ...(wait?.kind === 'due' && { retryAtMs: Math.max(wait.notBeforeMs, circuitUntilMs) }),
  }
}

const wireOf = ({ code, message }: Failure): WireError => ({ code, message })

const waitsForPerson = ({ parked, publication }: SessionRecord) =>
  parked > 0 || publication?.wait.kind === 'parked'

/**
 * The session with this trouble, unless it passes by itself and what a person must clear is told already. The same
 * trouble keeps the time since when it lasts.
 */
function withError(session: SessionRecord, trouble: Trouble): SessionRecord {
  const { trouble: told } = session
  if (trouble.retryAtMs !== undefined && waitsForPerson(session) && told !== undefined) return session
  const sinceMs = told?.error.code === trouble.error.code ? told.sinceMs : trouble.sinceMs
  return { ...session, trouble: { ...trouble, sinceMs } }
}

/** The session after something went well: its trouble is over, unless something is still parked. */
function clearError(session: SessionRecord): SessionRecord {
  if (waitsForPerson(session)) return session
  const { trouble: _over, ...rest } = session
  return withoutTrials(rest)
}

function withoutTrials(session: SessionRecord): SessionRecord {
  const { trials: _done, ...rest } = session
  return rest
}

const TRIAL_KINDS = ['sign-in', 'refusal'] as const satisfies TrialKind[]
