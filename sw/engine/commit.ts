import type { SessionId } from '../../src/protocol/ids.ts'
import type { ChunkRecord, SessionRecord } from '../core/record.ts'
import type { Now } from '../core/retry-policy.ts'
import { chunksNeeded, sessionTransition, type SessionEvent } from '../core/session-machine.ts'
import type { WriteTransaction } from '../ports/store.ts'

/** Where the non-extractable key of a session with `seal: 'worker'` is kept until the session is settled. */
export const sealKeyName = (id: SessionId) => `seal-key:${id}`

/**
 * Applies one event to a session: its record, its chunks, their bytes, its sealing key and the log change together.
 *
 * @param bytes the payload, with an event that brings one
 * @returns the session as it is then; undefined where it is gone, or past the event: then nothing changes
 */
export async function commit(
  tx: WriteTransaction,
  id: SessionId,
  event: SessionEvent,
  now: Now,
  bytes?: ArrayBuffer,
): Promise<SessionRecord | undefined> {
  const chunks = await load(tx, id, event)
  const session = await tx.session(id)
  return session && store(tx, session, chunks, event, now, bytes)
}

/** The first event of a session. */
export async function commitStart(tx: WriteTransaction, session: SessionRecord, now: Now): Promise<void> {
  await store(tx, session, [], { type: 'session-started' }, now)
}

async function load(tx: WriteTransaction, id: SessionId, event: SessionEvent): Promise<ChunkRecord[]> {
  const needed = chunksNeeded(event)
  if (needed === 'none') return []
  if (needed === 'all') return tx.chunksOf(id)
  const chunk = await tx.chunk(needed)
  return chunk === undefined ? [] : [chunk]
}

async function store(
  tx: WriteTransaction,
  before: SessionRecord,
  given: readonly ChunkRecord[],
  event: SessionEvent,
  now: Now,
  bytes?: ArrayBuffer,
): Promise<SessionRecord | undefined> {
  const { session, chunks, effects, accepted } = sessionTransition(before, given, event, now)
  if (!accepted) return undefined
  for (const chunk of chunks) await tx.putChunk(chunk)
  await tx.putSession(session)
  for (const effect of effects)
    switch (effect.type) {
      case 'put-payload':
        if (bytes === undefined) throw new Error(`No bytes came with ${event.type}.`)
        await tx.putPayload(effect.id, bytes)
        break
      case 'delete-payload':
        await tx.deletePayload(effect.id)
        break
      case 'delete-seal-key':
        await tx.deleteMeta(sealKeyName(session.id))
        break
      case 'log':
        await tx.addLog(effect.entry)
        break
      case 'delete-session':
        await tx.deleteSession(session.id)
        break
      case 'hint-trial':
        await hintTrial(tx, session.id, now)
    }
  return session
}

/** A sign-in that works for one session may be another's. */
async function hintTrial(tx: WriteTransaction, of: SessionId, now: Now): Promise<void> {
  for (const { id, trials } of await tx.openSessions())
    if (trials?.['sign-in'] && id !== of) await commit(tx, id, { type: 'trial-hinted' }, now)
}
