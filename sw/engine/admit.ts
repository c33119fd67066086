import { addressOf } from '../../src/evidence/cid.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { chunkIdOf, type ChunkId } from '../../src/protocol/ids.ts'
import { READ_COUNTS, weigh } from '../../src/protocol/memory.ts'
import type { HandedChunk } from '../../src/protocol/messages.ts'
import { commit } from './commit.ts'
import type { Context } from './context.ts'
import type { ChunkRecord, ChunkState } from '../core/record.ts'
import { NEW_EFFORT } from '../core/effort.ts'
import type { Clock } from '../ports/platform.ts'
import { POSTED_LIMIT_MS } from './limits.ts'
import { existing } from './sessions.ts'
import { atMost } from './with-timeout.ts'
import type { ReadTransaction } from '../ports/store.ts'

/**
 * Takes a chunk into the store; when this resolves its bytes are durable, and the page may forget them.
 * The same chunk again is acknowledged again. The digest is computed anew, and the address here: a posted Blob is a
 * handle that may not hold what the page read.
 *
 * @throws HoldfastError `unknown-session`, `session-ended`, `index-taken`, `hash-mismatch`, `storage-full`
 */
export async function admitChunk(context: Context, handed: HandedChunk): Promise<ChunkId> {
  const { store, clock, room, announce } = context
  const { sessionId, index, payload } = handed
  const id = chunkIdOf(sessionId, index)
  const release = await room(payload.size)
  try {
    const { bytes, state, cause } = await contentOf(clock, handed)
    await store.write(async (tx) => {
      // What may not come in, or is in already, is told that first.
      if (await isKnown(tx, id, handed)) return
      if (!bytes || !state)
        throw new HoldfastError('hash-mismatch', `Chunk ${index} has other bytes.`, { cause })
      await Promise.all([
        // What was hashed is what is stored: a file may change in between, and no other Blob.
        tx.putPayload(id, bytes, payload instanceof File ? undefined : payload),
        commit(context, tx, sessionId, { type: 'chunk-admitted', chunk: newChunk(handed, id, state) }),
      ])
    })
  } finally {
    release()
  }
  announce(sessionId)
  return id
}

const newChunk = (
  { payload, seal: _checked, ...told }: HandedChunk,
  id: ChunkId,
  state: ChunkState,
): ChunkRecord => ({
  ...told,
  id,
  sizeBytes: payload.size,
  state,
  effort: NEW_EFFORT,
  retryCount: 0,
})

/** Whether the chunk is in already; throws where it may not come in. */
async function isKnown(tx: ReadTransaction, id: ChunkId, handed: HandedChunk): Promise<boolean> {
  const { sessionId } = handed
  const [session, present] = await Promise.all([existing(tx, sessionId), tx.chunk(id)])
  if (present) {
    if (isSameContent(present, handed)) return true
    throw new HoldfastError('index-taken', `Chunk ${id} has other bytes.`)
  }
  if (!handed.seal === (session.sealedBy !== 'worker'))
    throw new HoldfastError('bad-message', `Session ${sessionId} is sealed by the ${session.sealedBy}.`)
  // A recorder that was taken for dead may still hand over what it has; one that said it was done may not.
  if (session.ending === 'complete')
    throw new HoldfastError('session-ended', `Session ${sessionId} has ended.`)
  return false
}

const isSameContent = (present: ChunkRecord, handed: HandedChunk): boolean =>
  present.plaintextHash === handed.plaintextHash &&
  present.capturedAtMs === handed.capturedAtMs &&
  (!handed.seal || present.state.seal?.encryptedHash === handed.seal.encryptedHash)

/** What was posted, as far as it can be read. */
interface Content {
  readonly bytes?: ArrayBuffer | undefined
  /** Where a chunk of them begins; absent where they are not those that the page announced. */
  readonly state?: ChunkState | undefined
  /** Why it cannot be read. */
  readonly cause?: unknown
}

async function contentOf(clock: Clock, handed: HandedChunk): Promise<Content> {
  try {
    const bytes = await atMost(clock, POSTED_LIMIT_MS, handed.payload.arrayBuffer())
    return { bytes, state: bytes && (await stateOf(bytes, handed)) }
  } catch (cause) {
    return { cause }
  }
}

/** Undefined where the page announced other bytes. */
async function stateOf(
  bytes: ArrayBuffer,
  { plaintextHash, seal }: HandedChunk,
): Promise<ChunkState | undefined> {
  weigh(bytes, READ_COUNTS * bytes.byteLength)
  const digest = sha256Hex(bytes)
  if (!seal) return (await digest) === plaintextHash ? { status: 'captured' } : undefined
  const [encryptedHash, cid] = await Promise.all([digest, addressOf(bytes, digest)])
  return encryptedHash === seal.encryptedHash ? { status: 'uploading', seal: { ...seal, cid } } : undefined
}
