import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import {
  isReportable,
  transition,
  waitOf,
  type ChunkEvent,
  type Failure,
  type Now,
  type Transition,
} from '../core/machine.ts'
import type { ChunkRecord, Publication, SessionRecord, SignIn, Trouble, Wait } from '../core/record.ts'
import { placeInQueue, recount } from '../core/session.ts'
import { isBlocked, nextTrial, signInFailed, signInWorks } from '../core/sign-in.ts'
import { publicationStep } from '../core/publication.ts'
import type { WriteTransaction } from '../ports/store.ts'

/**
 * Applies one event to one chunk: the chunk, its session's tally, its bytes and the log change together.
 * A chunk that is gone (discarded meanwhile), or past the event, is left alone.
 *
 * @param bytes the ciphertext, with a `sealed` event
 * @returns whether the event was accepted
 */
export async function commitEvent(
  tx: WriteTransaction,
  id: ChunkId,
  event: ChunkEvent,
  moment: Now,
  bytes?: ArrayBuffer,
): Promise<boolean> {
  const before = await tx.chunk(id)
  const session = before && (await tx.session(before.sessionId))
  if (before === undefined || session === undefined) return false
  const result = transition(before, event, moment)
  if (!result.accepted) return false
  const after = placeInQueue(result.chunk, session)
  await tx.putChunk(after)
  await saveSession(tx, withTrouble(recount(session, before, after), after, event, moment))
  await applyEffects(tx, id, result, bytes)
  await tx.addLog({
    atMs: moment.nowMs,
    sessionId: before.sessionId,
    index: before.index,
    event: event.type,
    from: before.state.status,
    to: after.state.status,
    ...(event.type === 'failed' && { error: { code: event.failure.code, message: event.failure.message } }),
  })
  if (event.type === 'stored')
    for (const open of await tx.openSessions()) {
      const { signIn, id: of } = open
      if (signIn)
        await tx.putSession({ ...open, signIn: signInWorks(signIn, of === session.id, moment.nowMs) })
    }
  return true
}

/**
 * Has these chunks of a session tried now, and its publication where it is given.
 *
 * @param signIn when what stays parked for a sign-in is tried
 */
export async function tryAgain(
  tx: WriteTransaction,
  id: SessionId,
  chunks: readonly ChunkRecord[],
  publication: Publication | undefined,
  moment: Now,
  signIn?: SignIn,
): Promise<SessionRecord | undefined> {
  for (const chunk of chunks) await commitEvent(tx, chunk.id, { type: 'resumed' }, moment)
  return changeSession(tx, id, ({ signIn: _before, ...rest }) => ({
    ...rest,
    ...(publication && { publication: publicationStep(publication, { type: 'resumed' }, moment) }),
    ...(signIn && { signIn }),
  }))
}

/**
 * Tries whether a sign-in works again: by the chunk that was tried the least of those that wait for it, or all of them
 * once an upload of the session went through; and by the publication, if that waits for it too.
 */
export async function trySignIn(tx: WriteTransaction, id: SessionId, moment: Now): Promise<void> {
  const { signIn, publication } = (await tx.session(id)) ?? {}
  if (signIn === undefined) return
  const blocked = (await tx.chunksOf(id)).filter(isBlocked).toSorted((a, b) => a.retryCount - b.retryCount)
  const stuck = publication && isBlocked(publication) ? publication : undefined
  const tried = signIn.failures > 0 ? blocked.slice(0, 1) : blocked
  const next = stuck || tried.length > 0 ? nextTrial(signIn.failures, moment) : undefined
  await tryAgain(tx, id, tried, stuck, moment, next)
}

async function applyEffects(tx: WriteTransaction, id: ChunkId, result: Transition, bytes?: ArrayBuffer) {
  for (const effect of result.effects) {
    if (effect.type === 'delete-payload') await tx.deletePayload(id)
    else if (bytes !== undefined) await tx.putPayload(id, bytes)
    else throw new Error(`No bytes came with ${effect.type} for ${id}`)
  }
}

/** The session's trouble after an event of one of its chunks: the latest failure, until something goes well. */
function withTrouble(
  session: SessionRecord,
  chunk: ChunkRecord,
  event: ChunkEvent,
  moment: Now,
): SessionRecord {
  if (event.type === 'failed') return afterFailure(session, event.failure, waitOf(chunk.state), moment)
  return event.type === 'stored' || event.type === 'resumed' ? clearError(session) : session
}

/** The session after a failure of one of its chunks, or of its publication. */
export const afterFailure = (
  session: SessionRecord,
  failure: Failure,
  wait: Wait | undefined,
  moment: Now,
): SessionRecord =>
  isReportable(failure)
    ? withError(signInFailed(session, failure, moment), troubleOf(failure, wait))
    : session

/** What a person is told of a failure. */
function troubleOf({ code, message, circuitUntilMs = 0 }: Failure, wait: Wait | undefined): Trouble {
  return {
    error: { code, message },
    ...(wait?.kind === 'due' && { retryAtMs: Math.max(wait.notBeforeMs, circuitUntilMs) }),
  }
}

const waitsForPerson = ({ parked, publication }: SessionRecord) =>
  parked > 0 || publication?.wait.kind === 'parked'

/** The session with this trouble, unless it passes by itself and what a person must clear is told already. */
export const withError = (session: SessionRecord, trouble: Trouble): SessionRecord =>
  trouble.retryAtMs !== undefined && waitsForPerson(session) ? session : { ...session, trouble }

/** The session after something went well: its trouble is over, unless something is still parked. */
export function clearError(session: SessionRecord): SessionRecord {
  if (waitsForPerson(session)) return session
  const { trouble: _over, signIn: _done, ...rest } = session
  return rest
}

/** Where the non-extractable key of a session with `seal: 'worker'` is kept until the session is settled. */
export const sealKeyName = (id: SessionId) => `seal-key:${id}`

/** Stores a session; the sealing key of one that is settled goes. */
export async function saveSession(tx: WriteTransaction, session: SessionRecord): Promise<void> {
  await tx.putSession(session)
  if (session.open === undefined && session.sealedBy === 'worker')
    await tx.deleteMeta(sealKeyName(session.id))
}

/** Changes a session under the transaction's protection; undefined where it is gone. */
export async function changeSession(
  tx: WriteTransaction,
  id: SessionId,
  change: (session: SessionRecord) => SessionRecord,
): Promise<SessionRecord | undefined> {
  const session = await tx.session(id)
  if (session === undefined) return undefined
  const changed = change(session)
  await saveSession(tx, changed)
  return changed
}
