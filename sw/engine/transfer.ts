import { HoldfastError, type ErrorCode } from '../../src/protocol/errors.ts'
import { recordFailure } from './circuits.ts'
import { change } from './change.ts'
import { commit } from './commit.ts'
import type { Context } from './context.ts'
import type { ChunkEvent } from '../core/chunk-machine.ts'
import { readSession } from '../core/read-record.ts'
import { dueKey } from '../core/session.ts'
import type { ChunkRecord, SessionRecord } from '../core/record.ts'
import { deliverFor, type Delivery } from './deliver.ts'
import type { InLane } from './lanes.ts'
import { SEAL_LIMIT_MS, SLOWEST_SEALED_PER_MS } from './limits.ts'
import { checkedPayload, unreadPayload } from './payload.ts'
import { atMost } from './with-timeout.ts'

/**
 * Takes one waiting chunk as far as it goes now: seals it if it is raw, then uploads it.
 * Every failure ends in the store, as a later time or a parked chunk; only a failing store rejects.
 *
 * @param known its session, where that was read with it
 * @param inLane where an upload waits for its turn
 * @returns how it failed, `aborted` where it was not to be made now; undefined where it went well
 */
export async function transfer(
  context: Context,
  chunk: ChunkRecord,
  signal: AbortSignal,
  session: SessionRecord | undefined,
  inLane: InLane,
): Promise<ErrorCode | undefined> {
  const { state } = chunk
  try {
    // Nobody found its session; or a place in the queue that it should not have, each look would find again.
    if (!session || !dueKey(chunk, session)) await findAgain(context, chunk)
    else if (state.status === 'uploading') {
      const uploading = () => upload(context, chunk, state, signal, session, inLane)
      if (!(await context.progress.during(chunk.id, uploading))) return 'aborted'
    } else await seal(context, chunk)
  } catch (thrown) {
    // Sealing asks nobody that others ask.
    const failure = await recordFailure(context, state.status === 'uploading' && 'listing', thrown, session)
    await apply(context, chunk, { type: 'failed', failure, of: chunk })
    return failure.code
  }
  return undefined
}

/** Has it sealed, within a time that grows with its bytes: one that hangs, or does nothing, fails that chunk alone. */
async function seal(context: Context, chunk: ChunkRecord): Promise<void> {
  const { sealer, clock, store } = context
  const limitMs = SEAL_LIMIT_MS + chunk.sizeBytes / SLOWEST_SEALED_PER_MS
  await (sealer && atMost(clock, limitMs, sealer(context, chunk)))
  const after = await store.read((tx) => tx.chunk(chunk.id))
  if (after && !after.state.seal) throw new HoldfastError('defect', 'It was not sealed.')
}

/** @returns undefined where it was not wanted any more, or not now */
async function upload(
  context: Context,
  chunk: ChunkRecord,
  state: Extract<ChunkRecord['state'], { status: 'uploading' }>,
  signal: AbortSignal,
  session: SessionRecord,
  inLane: InLane,
): Promise<true | undefined> {
  const { progress, announce, known } = context
  const { id, sessionId, sizeBytes, effort } = chunk
  const { cid, encryptedHash: sha256 } = state.seal
  const delivery: Delivery = {
    inLane: (requests) =>
      inLane(async () => {
        // While it waited its session may have been paused, held back, or discarded.
        return dueKey(chunk, known.get(sessionId) ?? session) && requests()
      }),
    sent: effort?.sent,
    resumeToken: effort?.resumeToken,
    unread: () => unreadPayload(context, id),
    bytes: async () => new Uint8Array(await checkedPayload(context, id, sha256)),
    record: (event) => apply(context, chunk, event),
    progress(offsetBytes, sent) {
      progress.reached(id, offsetBytes, sent)
      announce(sessionId)
    },
  }
  const isThere = await deliverFor(context, session, { cid, sha256, sizeBytes }, delivery, signal)
  if (isThere) await apply(context, chunk, { type: 'stored' })
  return isThere
}

/**
 * Nobody finds its session any more, or the chunk where it should not be found. Where the session's record is lost one that
 * is damaged takes its place, so that the app is told, and can have the bytes that are here and discard them: none of its
 * chunks goes anywhere. All else gets its marks back.
 */
export async function findAgain(context: Context, { id, sessionId, capturedAtMs }: ChunkRecord) {
  const written = context.store.write(async (tx) => {
    const session = await tx.session(sessionId)
    const chunk = await tx.chunk(id)
    // One that was discarded is gone with its session; another chunk may have come here before.
    if (!chunk || (session?.damaged && !chunk.due)) return
    if (!session) await tx.putSession(readSession({ id: sessionId, startedAtMs: capturedAtMs }))
    await commit(context, tx, sessionId, { type: 'recounted' })
  })
  // It may stand, though the database says that it does not.
  await written.finally(() => context.announce(sessionId))
}

const apply = (context: Context, { id, sessionId }: ChunkRecord, event: ChunkEvent) =>
  change(context, sessionId, { type: 'chunk', id, event })
