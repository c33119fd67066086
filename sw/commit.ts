import type { ChunkId, SessionId } from '../src/protocol/ids.ts'
import {
  transition,
  waitOf,
  type ChunkEvent,
  type Failure,
  type Moment,
  type Transition,
} from './core/machine.ts'
import type { ChunkRecord, SessionRecord, Trouble, Wait } from './core/record.ts'
import { placeInQueue, recount } from './core/session.ts'
import type { WriteTransaction } from './ports.ts'

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
  moment: Moment,
  bytes?: ArrayBuffer,
): Promise<boolean> {
  const before = await tx.chunk(id)
  const session = before && (await tx.session(before.sessionId))
  if (before === undefined || session === undefined) return false
  const result = transition(before, event, moment)
  if (!result.accepted) return false
  const after = placeInQueue(result.chunk, session)
  await tx.putChunk(after)
  await saveSession(tx, withTrouble(recount(session, before, after), after, event))
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
  return true
}

async function applyEffects(tx: WriteTransaction, id: ChunkId, result: Transition, bytes?: ArrayBuffer) {
  for (const effect of result.effects) {
    if (effect.type === 'delete-payload') await tx.deletePayload(id)
    else if (bytes !== undefined) await tx.putPayload(id, bytes)
    else throw new Error(`No bytes came with ${effect.type} for ${id}`)
  }
}

/** The session's trouble after an event of one of its chunks: the latest failure, until something goes well. */
function withTrouble(session: SessionRecord, chunk: ChunkRecord, event: ChunkEvent): SessionRecord {
  if (event.type === 'failed') {
    return inTrouble(session, troubleOf(event.failure, waitOf(chunk.state)))
  }
  return event.type === 'stored' || event.type === 'resumed' ? calm(session) : session
}

/** What a person is told of a failure. */
export function troubleOf({ code, message, circuitUntilMs = 0 }: Failure, wait: Wait | undefined): Trouble {
  return {
    error: { code, message },
    ...(wait?.kind === 'due' && { retryAtMs: Math.max(wait.notBeforeMs, circuitUntilMs) }),
  }
}

const waitsForPerson = ({ parked, publication }: SessionRecord) =>
  parked > 0 || publication?.wait.kind === 'parked'

/** The session with this trouble, unless it passes by itself and what a person must clear is told already. */
export const inTrouble = (session: SessionRecord, trouble: Trouble): SessionRecord =>
  trouble.retryAtMs !== undefined && waitsForPerson(session) ? session : { ...session, trouble }

/** The session after something went well: its trouble is over, unless something still waits for a person. */
export function calm(session: SessionRecord): SessionRecord {
  if (waitsForPerson(session)) return session
  const { trouble: _over, ...rest } = session
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
