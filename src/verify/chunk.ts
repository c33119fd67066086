import { contentAddress, rawBlockCid, type CidProfile } from '../evidence/cid.ts'
import { openChunk } from '../evidence/chunk-seal.ts'
import { sha256Hex } from '../evidence/digest.ts'
import type { ChunkEntry } from '../evidence/entry.ts'
import type { X25519 } from '../evidence/x25519.ts'
import { MAX_CHUNK_BYTES, TAG_BYTES } from '../protocol/messages.ts'
import type { SessionName } from '../protocol/ids.ts'
import type { VerificationCode } from '../protocol/verification-code.ts'
import { VerificationError, type VerificationStep } from './error.ts'
import type { Objects } from './objects.ts'
import type { OneAtATime } from './one-at-a-time.ts'

/** What all chunks of a session are opened with. */
export interface ChunkSource {
  readonly objects: Objects
  readonly profile: CidProfile
  readonly name: SessionName
  /** In hex. */
  readonly sessionKey: string
  /** Its public key, as the log's first entry has it. */
  readonly sealingKey: string
  readonly x25519: X25519
  /** For what is larger than announced: one at a time, so that many do not fill the memory. */
  readonly alone: OneAtATime
}

/**
 * Fetches, checks and opens one listed chunk: address, size and hash of the ciphertext, then its key and
 * decryption, then the hash of the plaintext.
 *
 * @throws VerificationError with the chunk's index and the first thing that is wrong; a signal's reason
 */
export async function readChunk(
  source: ChunkSource,
  listed: ChunkEntry,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
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

  const ciphertext = await fetchCiphertext(source, listed, signal)
  expect('chunk-size', 'the size of the ciphertext', listed.sizeBytes, ciphertext.length)
  // The address of one leaf is its hash, which was compared.
  const isOneLeaf = listed.cid === rawBlockCid(listed.encryptedHash)
  const encryptedHash = isOneLeaf ? listed.encryptedHash : await sha256Hex(ciphertext)
  expect('chunk-encrypted-hash', 'the hash of the ciphertext', listed.encryptedHash, encryptedHash)

  const { name, sessionKey, sealingKey, x25519 } = source
  const { iv, chunkKey } = listed
  const opening = openChunk({ name, index, sessionKey, sealingKey, chunkKey, iv, ciphertext }, x25519)
  const plaintext = await opening.catch((cause: unknown) => {
    const what = 'its key does not open under the session key, or the ciphertext not under it'
    throw failure('chunk-decrypt', 'opening a chunk', what, cause)
  })
  const plaintextHash = await sha256Hex(plaintext)
  expect('chunk-plaintext-hash', 'the hash of the plaintext', listed.plaintextHash, plaintextHash)
  return new Uint8Array(plaintext)
}

const MAX_BYTES = MAX_CHUNK_BYTES + TAG_BYTES

/** The bytes that have the chunk's address, read no further than its entry says, unless that is what is wrong. */
async function fetchCiphertext(
  { objects, profile, alone }: ChunkSource,
  { index, cid, sizeBytes }: ChunkEntry,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const fetch = (maxBytes: number) =>
    objects.fetch({
      cid,
      kind: 'chunk',
      what: `Chunk ${index}`,
      maxBytes,
      sizeBytes,
      signal,
      async wrong(bytes) {
        const found = await contentAddress(bytes, profile)
        return found === cid
          ? undefined
          : `the address of the ${bytes.length} bytes served should be ${cid}, found ${found}`
      },
      codes: { missing: 'chunk-missing', wrong: 'chunk-address' },
      steps: { fetching: 'fetching a chunk', checking: 'checking a chunk' },
      index,
    })
  let fetched = await fetch(sizeBytes)
  if (fetched.kind === 'failed' && fetched.isTooLong) fetched = await alone(() => fetch(MAX_BYTES))
  if (fetched.kind === 'failed') throw fetched.error
  return fetched.bytes
}
