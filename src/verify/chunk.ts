import { contentAddress, type CidProfile } from '../evidence/cid.ts'
import { openChunk } from '../evidence/chunk-seal.ts'
import { sha256Hex } from '../evidence/digest.ts'
import type { ChunkEntry } from '../evidence/entry.ts'
import type { X25519 } from '../evidence/x25519.ts'
import { MAX_CHUNK_BYTES, TAG_BYTES } from '../protocol/messages.ts'
import type { SessionName } from '../protocol/ids.ts'
import type { VerificationCode } from '../protocol/verification-code.ts'
import { VerificationError, type VerificationStep } from './error.ts'
import { fetchContent, type Gateway } from './gateway.ts'

/** What all chunks of a session are opened with. */
export interface ChunkSource {
  readonly gateway: Gateway
  readonly profile: CidProfile
  readonly name: SessionName
  /** In hex. */
  readonly sessionKey: string
  readonly x25519: X25519
}

/**
 * Fetches, checks and opens one listed chunk: address, size and hash of the ciphertext, then its key and
 * decryption, then the hash of the plaintext.
 *
 * @throws VerificationError with the chunk's index and the first thing that is wrong
 */
export async function readChunk(source: ChunkSource, listed: ChunkEntry): Promise<Uint8Array<ArrayBuffer>> {
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
    tooLong: 'chunk-address',
    index,
  })
  const address = await contentAddress(ciphertext, source.profile)
  expect('chunk-address', `the address of the ${ciphertext.length} bytes served`, listed.cid, address)
  expect('chunk-size', 'the size of the ciphertext', listed.sizeBytes, ciphertext.length)
  const encryptedHash = await sha256Hex(ciphertext)
  expect('chunk-encrypted-hash', 'the hash of the ciphertext', listed.encryptedHash, encryptedHash)

  const { name, sessionKey, x25519 } = source
  const { iv, chunkKey } = listed
  const opening = openChunk({ name, index, sessionKey, chunkKey, iv, ciphertext }, x25519)
  const plaintext = await opening.catch((cause: unknown) => {
    const what = 'its key does not open under the session key, or the ciphertext not under it'
    throw failure('chunk-decrypt', 'opening a chunk', what, cause)
  })
  const plaintextHash = await sha256Hex(plaintext)
  expect('chunk-plaintext-hash', 'the hash of the plaintext', listed.plaintextHash, plaintextHash)
  return new Uint8Array(plaintext)
}
