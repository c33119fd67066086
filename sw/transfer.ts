import { sha256Hex } from '../src/evidence/digest.ts'
import { HoldfastError } from '../src/protocol/errors.ts'
import { closeCircuit, recordFailure } from './circuits.ts'
import { commitEvent } from './commit.ts'
import { momentOf, type Context } from './context.ts'
import type { ChunkEvent } from './core/machine.ts'
import type { ChunkRecord } from './core/record.ts'
import type { Upload } from './ports.ts'
import { sealStep } from './seal-step.ts'

/**
 * Takes one waiting chunk as far as it goes now: seals it if it is raw, then uploads it.
 * Every failure ends in the store, as a later time or a parked chunk; only a failing store rejects.
 */
export async function transfer(context: Context, chunk: ChunkRecord, signal: AbortSignal): Promise<void> {
  try {
    if (chunk.state.status === 'uploading') await upload(context, chunk, chunk.state, signal)
    else await sealStep(context, chunk)
  } catch (thrown) {
    const error = HoldfastError.from(thrown)
    if (error.code === 'storage-failed') throw error
    const failure = await recordFailure(context, context.transport.name, error)
    await commit(context, chunk, { type: 'failed', failure })
  }
}

async function upload(
  context: Context,
  chunk: ChunkRecord,
  state: Extract<ChunkRecord['state'], { status: 'uploading' }>,
  signal: AbortSignal,
): Promise<void> {
  const { store, transport } = context
  const object: Upload = { cid: state.seal.cid, sizeBytes: chunk.sizeBytes }
  const alreadyThere = state.sent && (await transport.probe(object, signal)) === 'stored'
  if (!alreadyThere) {
    const bytes = await store.payload(chunk.id)
    if ((await sha256Hex(bytes)) !== state.seal.encryptedHash)
      throw new HoldfastError(
        'payload-corrupt',
        `The stored bytes of ${chunk.id} no longer match their hash.`,
      )
    if (!state.sent && !(await commit(context, chunk, { type: 'send-began' }))) return
    await transport.send(object, bytes, signal)
  }
  await closeCircuit(context, transport.name)
  await commit(context, chunk, { type: 'stored' })
}

async function commit(
  { store, clock, announce }: Context,
  chunk: ChunkRecord,
  event: ChunkEvent,
): Promise<boolean> {
  const accepted = await store.write((tx) => commitEvent(tx, chunk.id, event, momentOf(clock)))
  announce(chunk.sessionId)
  return accepted
}
