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
    const { state } = chunk
    if (state.status === 'uploading')
      await context.progress.during(chunk.id, () => upload(context, chunk, state, signal, known, inLane))
    else if (context.sealer) await context.sealer(context, chunk)
    else throw new HoldfastError('defect', `Chunk ${chunk.id} is raw.`)
  } catch (thrown) {
    const error = HoldfastError.from(thrown)
    if (error.code === 'storage-failed') throw error
    const failure = await recordFailure(context, context.transport.name, error)
    await apply(context, chunk, { type: 'failed', failure, of: chunk.state.status })
    return error.code
  }
  return undefined
}

async function upload(
  context: Context,
  chunk: ChunkRecord,
  state: Extract<ChunkRecord['state'], { status: 'uploading' }>,
  signal: AbortSignal,
  known?: SessionRecord,
  inLane?: InLane,
): Promise<void> {
  const { store, progress, announce } = context
  const { id, sessionId, sizeBytes, effort } = chunk
  const { cid, encryptedHash: sha256 } = state.seal
  const session = known ?? (await store.read((tx) => tx.session(sessionId)))
  if (session === undefined) return
  // While it waited it may have been paused, or discarded.
  const isWanted = async () => (await store.read((tx) => tx.chunk(id)))?.due
  const delivery: Delivery = {
    inLane: inLane && ((requests) => inLane(async () => ((await isWanted()) ? requests() : undefined))),
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

const apply = (context: Context, { id, sessionId }: ChunkRecord, event: ChunkEvent, answered?: WorkKind) =>
  change(context, sessionId, { type: 'chunk', id, event }, answered)
