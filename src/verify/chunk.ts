import { contentAddress, type CidProfile } from '../evidence/cid.ts'
import { sha256Hex } from '../evidence/digest.ts'
import { TAG_BYTES } from '../evidence/keys.ts'
import type { ManifestChunk } from '../evidence/manifest.ts'
import { openChunk } from '../evidence/seal.ts'
import { MAX_CHUNK_BYTES } from '../protocol/messages.ts'
import type { VerificationCode } from '../protocol/verification-code.ts'
import { VerificationError, type VerificationStep } from './error.ts'
import { fetchContent, type Gateway } from './gateway.ts'

/** One piece of the recording, proved to be the one that was anchored. */
export interface VerifiedChunk {
  readonly index: number
  readonly plaintext: Uint8Array<ArrayBuffer>
  /** Ms since the epoch, as anchored. */
  readonly capturedAtMs: number
  /** As the anchored manifest says; its Merkle root does not cover it. */
  readonly durationMs: number
}

/** What all chunks of a session are opened with. */
export interface ChunkSource {
  readonly gateway: Gateway
  readonly profile: CidProfile
  readonly sessionKey: CryptoKey
}

/**
 * Fetches, checks and opens one listed chunk: address, size and hash of the ciphertext, then
 * decryption, then the hash of the plaintext.
 *
 * @throws VerificationError with the chunk's index and the first thing that is wrong
 */
export async function readChunk(source: ChunkSource, listed: ManifestChunk): Promise<VerifiedChunk> {
  const { index } = listed
  const failure = (code: VerificationCode, step: VerificationStep, what: string, cause?: unknown) =>
    new VerificationError(code, step, `Chunk ${index}: ${what}`, { index, cause })
  const expect = (
    code: VerificationCode,
    what: string,
    expected: string | number,
    found: string | number,
  ) => {
    if (found !== expected) {
      throw failure(code, 'checking a chunk', `${what} should be ${expected}, found ${found}`)
    }
  }

  const ciphertext = await fetchContent(source.gateway, {
    cid: listed.cid,
    what: `Chunk ${index}`,
    maxBytes: MAX_CHUNK_BYTES + TAG_BYTES,
    step: 'fetching a chunk',
    missing: 'chunk-missing',
    tooLong: 'chunk-size',
    index,
  })
  const address = await contentAddress(ciphertext, source.profile)
  expect('chunk-address', `the address of the ${ciphertext.length} bytes served`, listed.cid, address)
  expect('chunk-size', 'the size of the ciphertext', listed.size, ciphertext.length)
  const encryptedHash = await sha256Hex(ciphertext)
  expect('chunk-encrypted-hash', 'the hash of the ciphertext', listed.encryptedHash, encryptedHash)

  const { sessionKey } = source
  const opening = openChunk({ sessionKey, index, ciphertext, iv: listed.iv })
  const plaintext = await opening.catch((cause: unknown) => {
    const what = `the ciphertext listed does not open under the session key and IV ${listed.iv}`
    throw failure('chunk-decrypt', 'opening a chunk', what, cause)
  })
  const plaintextHash = await sha256Hex(plaintext)
  expect('chunk-plaintext-hash', 'the hash of the plaintext', listed.plaintextHash, plaintextHash)
  const { capturedAt: capturedAtMs, duration: durationMs } = listed
  return { index, plaintext: new Uint8Array(plaintext), capturedAtMs, durationMs }
}
