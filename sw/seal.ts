import { sha256Hex } from '../src/evidence/digest.ts'
import { sealChunk } from '../src/evidence/seal.ts'
import { HoldfastError } from '../src/protocol/errors.ts'
import { commitChunk, sealKeyName } from './engine/commit.ts'
import { nowOf, type Sealer } from './engine/context.ts'
import type { ChunkEvent } from './core/chunk-machine.ts'

/**
 * The sealer of a worker that takes raw chunks: ciphertext takes the place of the raw bytes in one transaction.
 * For `install({ sealer: sealInWorker })`; a worker without it takes sealed chunks only, and is smaller.
 */
export const sealInWorker: Sealer = async (context, chunk) => {
  const { store, clock, announce } = context
  const commit = async (event: ChunkEvent, ciphertext?: ArrayBuffer) => {
    await store.write((tx) => commitChunk(tx, chunk.id, event, nowOf(clock), ciphertext))
    announce(chunk.sessionId)
  }
  if (chunk.state.status !== 'captured') await commit({ type: 'recovered' })
  const sessionKey = await store.read((tx) => tx.meta(sealKeyName(chunk.sessionId)))
  if (!(sessionKey instanceof CryptoKey))
    throw new HoldfastError('defect', `The sealing key of session ${chunk.sessionId} is missing.`)
  await commit({ type: 'hash-began' })
  const plaintext = await store.payload(chunk.id)
  if ((await sha256Hex(plaintext)) !== chunk.plaintextHash)
    throw new HoldfastError('payload-corrupt', `The stored bytes of ${chunk.id} no longer match their hash.`)
  await commit({ type: 'encrypt-began' })
  const { ciphertext, encryptedHash, iv, cid } = await sealChunk({
    sessionKey,
    index: chunk.index,
    plaintext,
  })
  await commit(
    { type: 'sealed', seal: { encryptedHash, iv, cid }, sizeBytes: ciphertext.byteLength },
    ciphertext,
  )
}
