import { sealChunk } from '../src/evidence/chunk-seal.ts'
import { addressOf } from '../src/evidence/cid.ts'
import { hasX25519, platformX25519, type X25519 } from '../src/evidence/x25519.ts'
import { change } from './engine/change.ts'
import type { Context, Sealer } from './engine/context.ts'
import { checkedPayload } from './engine/payload.ts'
import type { ChunkEvent } from './core/chunk-machine.ts'
import type { ChunkRecord } from './core/record.ts'

/**
 * The sealer of a worker that takes raw chunks, in browsers that have X25519 (docs/browsers.md); in others it refuses
 * each session that it should seal, with `bad-input`. For `install({ sealer: sealInWorker })`; a worker without it takes
 * sealed chunks only, and is smaller.
 */
export const sealInWorker: Sealer = Object.assign(
  (context: Context, chunk: ChunkRecord) => seal(context, chunk, platformX25519),
  { canSeal: hasX25519 },
)

/**
 * The same for every browser.
 *
 * @param fallback `libraryX25519` of `holdfast/sw/x25519`, for browsers that have none of their own
 */
export const sealInWorkerWith =
  (fallback: X25519): Sealer =>
  async (context, chunk) =>
    seal(context, chunk, (await hasX25519()) ? platformX25519 : fallback)

/** Ciphertext takes the place of the raw bytes in one transaction. */
async function seal(context: Context, chunk: ChunkRecord, x25519: X25519): Promise<void> {
  const { id, sessionId } = chunk
  const apply = (event: ChunkEvent) => change(context, sessionId, { type: 'chunk', id, event })
  const session = await apply({ type: 'hash-began' })
  if (!session) return
  const plaintext = await checkedPayload(context, id, chunk.plaintextHash)
  await apply({ type: 'encrypt-began' })
  const terms = { ...session, index: chunk.index, plaintext }
  const { ciphertext: bytes, encryptedHash, iv, chunkKey } = await sealChunk(terms, x25519)
  const cid = await addressOf(bytes, encryptedHash)
  await apply({ type: 'sealed', seal: { encryptedHash, iv, chunkKey, cid }, bytes })
}
