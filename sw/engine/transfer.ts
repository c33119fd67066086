import { HoldfastError, type ErrorCode } from '../../src/protocol/errors.ts'
import { recordFailure } from './circuits.ts'
import { change } from './change.ts'
import type { Context } from './context.ts'
import type { ChunkEvent } from '../core/chunk-machine.ts'
import type { WorkKind } from '../core/plan.ts'
import type { ChunkRecord, SessionRecord } from '../core/record.ts'
import { deliverFor, type Delivery } from './deliver.ts'
import type { InLane } from './lanes.ts'
import { checkedPayload, unreadPayload } from './payload.ts'

/**
 * Takes one waiting chunk as far as it goes now: seals it if it is raw, then uploads it.
 * Every failure ends in the store, as a later time or a parked chunk; only a failing store rejects.
 *
 * @param known its session, where that was read with it
 * @param inLane where an upload waits for its turn
 * @returns how it failed; undefined where it went well
 */
export async function transfer(
  context: Context,
  chunk: ChunkRecord,
  signal: AbortSignal,
  known?: SessionRecord,
  inLane?: InLane,
): Promise<ErrorCode | undefined> {
  try {
    const { state, sessionId } = chunk
    const session = known ?? (await context.store.read((tx) => tx.session(sessionId)))
    if (!session) await setApart(context, chunk)
    else if (state.status === 'uploading')
      await context.progress.during(chunk.id, () => upload(context, chunk, state, signal, session, inLane))
    else if (context.sealer) await context.sealer(context, chunk)
    else throw new HoldfastError('defect', 'There is no sealer.')
  } catch (thrown) {
    const failure = await recordFailure(context, 'listing', thrown)
    await apply(context, chunk, { type: 'failed', failure, of: chunk.state.status })
    return failure.code
  }
  return undefined
}

async function upload(
  context: Context,
  chunk: ChunkRecord,
  state: Extract<ChunkRecord['state'], { status: 'uploading' }>,
  signal: AbortSignal,
  session: SessionRecord,
  inLane?: InLane,
): Promise<void> {
  const { store, progress, announce } = context
  const { id, sessionId, sizeBytes, effort } = chunk
  const { cid, encryptedHash: sha256 } = state.seal
  const delivery: Delivery = {
    inLane:
      inLane &&
      ((requests) =>
        inLane(async () => {
          // While it waited it may have been paused, or discarded.
          const waiting = await store.read((tx) => tx.chunk(id))
          return waiting?.due && requests()
        })),
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
  if (!(await deliverFor(context, session, { cid, sha256, sizeBytes }, delivery, signal))) return
  await apply(context, chunk, { type: 'stored' }, 'listing')
}

/** The record of its session is lost, and the key to its bytes with it: it leaves the queue, once, and keeps them. */
const setApart = ({ store, clock }: Context, chunk: ChunkRecord) =>
  store.write(async (tx) => {
    const { id, sessionId, index } = chunk
    // One that was discarded is gone with its session.
    if (!(await tx.chunk(id))) return
    await tx.putChunk({ ...chunk, due: undefined })
    await tx.addLog([{ atMs: clock.now(), sessionId, event: 'session-lost', index }])
  })

const apply = (context: Context, { id, sessionId }: ChunkRecord, event: ChunkEvent, answered?: WorkKind) =>
  change(context, sessionId, { type: 'chunk', id, event }, answered)
