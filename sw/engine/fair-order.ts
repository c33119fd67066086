import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import type { ChunkRecord } from '../core/record.ts'
import type { ReadTransaction } from '../ports/store.ts'

/** So many chunks in a row are not all of the oldest session. */
const GUEST_EVERY = 4

/**
 * The next upload that is not `busy`; undefined where none is due by then.
 *
 * @param silent sessions of which nothing is heard: others go first
 */
export type TakeNext = (
  tx: ReadTransaction,
  upToMs: number,
  busy: ReadonlySet<ChunkId>,
  silent: readonly SessionId[],
) => Promise<ChunkRecord | undefined>

/**
 * The queue's order, but so that nobody starves behind a long backlog or a recording that goes on: every fourth upload
 * is of another session than the oldest, each in its turn, and once in each round one that has failed before.
 */
export function fairOrder(): TakeNext {
  let taken = 0
  /** The place of the session that had the last turn among the sessions; 0 before each round. */
  let last = 0

  return async (tx, upToMs, busy, silent) => {
    const upTo = [upToMs, Infinity]
    const first = await tx.nextDue([[0], upTo], busy)
    if (!first?.due || (!silent.includes(first.sessionId) && ++taken < GUEST_EVERY)) return first
    const guest = await tx.nextDue([[0, Math.max(last, first.due[1]), Infinity], upTo], busy)
    const [failedAtMs, place] = guest?.due ?? [0, 0]
    last = failedAtMs > 0 ? 0 : place
    if (!guest) return first
    taken = 0
    return guest
  }
}
