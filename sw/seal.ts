import { sealChunk } from '../src/evidence/seal.ts'
import { HoldfastError } from '../src/protocol/errors.ts'
import { change } from './engine/change.ts'
import { sealKeyName } from './engine/commit.ts'
import type { Sealer } from './engine/context.ts'
import { checkedPayload } from './engine/payload.ts'
import type { ChunkEvent } from './core/chunk-machine.ts'

/**
 * The sealer of a worker that takes raw chunks: ciphertext takes the place of the raw bytes in one transaction.
 * For `install({ sealer: sealInWorker })`; a worker without it takes sealed chunks only, and is smaller.
 */
export const sealInWorker: Sealer = async (context, chunk) => {
  const { store } = context
  const { id, sessionId } = chunk
  const apply = (event: ChunkEvent, ciphertext?: ArrayBuffer) =>
    change(context, sessionId, { type: 'chunk', id, event }, ciphertext)
  if (chunk.state.status !== 'captured') await apply({ type: 'recovered' })
  const sessionKey = await store.read((tx) => tx.meta(sealKeyName(sessionId)))
  if (!(sessionKey instanceof CryptoKey))
    throw new HoldfastError('defect', `The sealing key of session ${sessionId} is missing.`)
  await apply({ type: 'hash-began' })
  const plaintext = await checkedPayload(context, id, chunk.plaintextHash)
  await apply({ type: 'encrypt-began' })
  const { ciphertext, encryptedHash, iv, cid } = await sealChunk({
    sessionKey,
    index: chunk.index,
    plaintext,
  })
  await apply(
    { type: 'sealed', seal: { encryptedHash, iv, cid }, sizeBytes: ciphertext.byteLength },
    ciphertext,
  )
}
