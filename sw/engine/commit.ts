import type { SessionId } from '../../src/protocol/ids.ts'
import { belongsElsewhere } from '../core/identity.ts'
import type { ChunkRecord, SessionRecord } from '../core/record.ts'
import { headsNeeded } from '../core/expired-pages.ts'
import type { SessionEvent } from '../core/session-event.ts'
import { chunksNeeded, isCut, sessionTransition } from '../core/session-machine.ts'
import { nowOf, type Context } from './context.ts'
import type { WriteTransaction } from '../ports/store.ts'

/** Events that tell what came of bringing things somewhere: of a `chunk` that is here already, a page, a head. */
const OF_WORK = /^(chunk$|listing|page|witness|anchor)/

/**
 * Applies one event to a session: its record, its chunks, their bytes, its log and its keys change together. What comes of
 * bringing things where this worker goes changes no session that is bound elsewhere.
 *
 * @returns the session as it is then; undefined where it is gone, or past the event: then nothing changes
 */
export async function commit(
  { clock, identity }: Context,
  tx: WriteTransaction,
  id: SessionId,
  event: SessionEvent,
): Promise<SessionRecord | undefined> {
  // Both at once: each question is a way to another process and back.
  const [before, needed] = await Promise.all([tx.session(id), load(tx, id, event)])
  if (!before || (OF_WORK.test(event.type) && belongsElsewhere(before, identity))) return undefined
  const chunks = await completed(tx, before, needed, event)
  const sizes = headsNeeded(before, chunks, event)
  const heads = sizes && (await tx.heads(id, sizes.from, sizes.to))
  const after = sessionTransition(before, chunks, event, nowOf(clock), heads)
  if (!after) return undefined
  const { session, effects } = after
  // In this order, but none waits for the answer to another.
  await Promise.all([
    ...after.chunks.map((chunk) => tx.putChunk(chunk)),
    tx.putSession(session),
    ...effects.map(([call, ...given]) => (tx[call] as (...given: unknown[]) => Promise<unknown>)(...given)),
  ])
  return session
}

/** The chunks that an event of this kind needs. */
async function load(tx: WriteTransaction, id: SessionId, event: SessionEvent): Promise<ChunkRecord[]> {
  const needed = chunksNeeded(event)
  if (!needed) return []
  if (needed === 'all') return tx.chunksOf(id)
  if (typeof needed === 'object') return tx.provedChunks(id, needed.from, needed.to)
  return [await tx.chunk(needed)].filter((chunk) => chunk !== undefined)
}

/** The chunks that the event needs as its session stands: those that its kind needs, unless these are too few. */
async function completed(
  tx: WriteTransaction,
  session: SessionRecord,
  chunks: ChunkRecord[],
  event: SessionEvent,
): Promise<ChunkRecord[]> {
  const { id, tally } = session
  const { size } = session.listed.tree
  if (event.type === 'listing-began' && isCut(session, event.of))
    return tx.provedChunks(id, size, event.of.tree.size)
  // Some that the chain holds have lost the mark by which they are found.
  const areLost =
    event.type === 'anchor-confirmed' && event.anchored.size >= size && chunks.length < tally.anchoring
  return areLost ? tx.chunksOf(id) : chunks
}
