import { digestAndCid } from '../../src/evidence/cid.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { chunkIdOf, type ChunkId } from '../../src/protocol/ids.ts'
import { READ_COUNTS, weigh } from '../../src/protocol/memory.ts'
import type { HandedChunk } from '../../src/protocol/messages.ts'
import { commit } from './commit.ts'
import type { Context } from './context.ts'
import type { ChunkRecord } from '../core/record.ts'
import { NEW_EFFORT } from '../core/effort.ts'
import type { Clock } from '../ports/platform.ts'
import { POSTED_LIMIT_MS } from './limits.ts'
import { existing } from './sessions.ts'
import { atMost } from './time-limit.ts'
import type { ReadTransaction } from '../ports/store.ts'

/**
 * Takes a chunk into the store; when this resolves its bytes are durable, and the page may forget them.
 * The same chunk again is acknowledged again. The digest and the address are computed anew: a posted Blob is a
 * handle that may not hold what the page read.
 *
 * @throws HoldfastError `unknown-session`, `session-ended`, `index-taken`, `hash-mismatch`, `storage-full`
 */
export async function admitChunk(context: Context, handed: HandedChunk): Promise<ChunkId> {
  const { store, clock, room, announce } = context
  const chunk = newChunk(handed)
  const release = await room.acquire(chunk.sizeBytes)
  try {
    const bytes = await readContent(clock, handed).catch(async (error: unknown) => {
      // What may not come in, or is in already, is told that first.
      if (!(await store.read((tx) => isKnown(tx, chunk, handed)))) throw error
    })
    if (!bytes) return chunk.id
    // What was hashed is what is stored: a file may change in between, and no other Blob.
    const posted = handed.payload instanceof File ? undefined : handed.payload
    await store.write(async (tx) => {
      if (await isKnown(tx, chunk, handed)) return
      await Promise.all([
        tx.putPayload(chunk.id, bytes, posted),
        commit(context, tx, chunk.sessionId, { type: 'chunk-admitted', chunk }),
      ])
    })
  } finally {
    release()
  }
  announce(chunk.sessionId)
  return chunk.id
}

const newChunk = ({ payload, seal, ...told }: HandedChunk): ChunkRecord => ({
  ...told,
  id: chunkIdOf(told.sessionId, told.index),
  sizeBytes: payload.size,
  state: seal ? { status: 'uploading', seal } : { status: 'captured' },
  effort: NEW_EFFORT,
  retryCount: 0,
})

/** Whether the chunk is in already; throws where it may not come in. */
async function isKnown(tx: ReadTransaction, chunk: ChunkRecord, handed: HandedChunk): Promise<boolean> {
  const [session, present] = await Promise.all([existing(tx, chunk.sessionId), tx.chunk(chunk.id)])
  if (present !== undefined) {
    if (isSameContent(present, handed)) return true
    throw new HoldfastError('index-taken', `Chunk ${chunk.id} has other bytes.`)
  }
  if (!handed.seal !== (session.sealedBy === 'worker'))
    throw new HoldfastError('bad-message', `Session ${chunk.sessionId} is sealed by the ${session.sealedBy}.`)
  // A recorder that was taken for dead may still hand over what it has; one that said it was done may not.
  if (session.ending === 'complete')
    throw new HoldfastError('session-ended', `Session ${chunk.sessionId} has ended.`)
  return false
}

function isSameContent(present: ChunkRecord, handed: HandedChunk): boolean {
  if (present.plaintextHash !== handed.plaintextHash || present.capturedAtMs !== handed.capturedAtMs)
    return false
  return !handed.seal || present.state.seal?.encryptedHash === handed.seal.encryptedHash
}

/** @throws HoldfastError `hash-mismatch` where the bytes are not those that the page announced, or cannot be read */
async function readContent(clock: Clock, handed: HandedChunk): Promise<ArrayBuffer> {
  let cause: unknown
  try {
    const bytes = await atMost(clock, POSTED_LIMIT_MS, handed.payload.arrayBuffer())
    if (bytes && (await isAnnounced(bytes, handed))) return bytes
  } catch (thrown) {
    cause = thrown
  }
  throw new HoldfastError('hash-mismatch', `Chunk ${handed.index} has other bytes.`, {
    cause,
  })
}

async function isAnnounced(bytes: ArrayBuffer, { plaintextHash, seal }: HandedChunk): Promise<boolean> {
  weigh(bytes, READ_COUNTS * bytes.byteLength)
  if (!seal) return (await sha256Hex(bytes)) === plaintextHash
  const { encryptedHash, cid } = await digestAndCid(bytes)
  return encryptedHash === seal.encryptedHash && cid === seal.cid
}
