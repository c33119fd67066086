import { TAG_BYTES } from '../evidence/keys.ts'
import type { Manifest } from '../evidence/manifest.ts'
import type { RegistryRecord } from '../evidence/registry.ts'
import { readRecord } from './chain.ts'
import { readChunk, type VerifiedChunk } from './chunk.ts'
import { VerificationError, type VerificationStep } from './error.ts'
import { openKey } from './key.ts'
import { missingIndexesOf, readManifest } from './manifest.ts'
import { checkOptions, type OpenSessionOptions } from './options.ts'

/** A session whose registry entry, manifest and key hold; its chunks are verified as they are read. */
export interface VerifiedSession {
  readonly manifest: Manifest
  readonly record: RegistryRecord
  /** Indexes from 0 to the highest listed that no chunk has: pieces that never reached the anchor. */
  readonly missingIndexes: readonly number[]
  /**
   * The chunks in index order, each fetched, checked and decrypted when it is asked for, so that one
   * is in memory at a time. Each call starts over.
   *
   * @throws VerificationError at the first chunk that is not what was anchored
   */
  chunks(): AsyncGenerator<VerifiedChunk, void, undefined>
  /** All chunks at once; needs memory for the whole recording. Throws as `chunks` does. */
  readAll(): Promise<readonly VerifiedChunk[]>
  /** The recording as one file: all plaintexts joined; needs memory for it. Throws as `chunks` does. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>
}

/**
 * Opens a recording trusting nobody: the registry's entry leads to the manifest, the manifest to the
 * chunks, and each is recomputed before it is believed. Which node tells the chain is the caller's choice.
 *
 * Checks in this order, and names the first that fails: registered; manifest there, of that address, well
 * formed, of this session; chunk count; Merkle root; uploader; group bound; session key. The chunks
 * themselves are checked as `chunks()` reaches them.
 *
 * @throws VerificationError; the signal's reason when the caller aborts
 */
export async function openSession(options: OpenSessionOptions): Promise<VerifiedSession> {
  const { chain, sessionId, groupSecret, gateway: url, timeoutMs, profile } = checkOptions(options)
  const { signal, onProgress } = options
  const limits = { timeoutMs, signal }
  const gateway = { ...limits, url }
  let chunksTotal = 0
  const at = (step: VerificationStep, chunksVerified = 0) =>
    onProgress?.({ step, chunksVerified, chunksTotal })

  at('reading the registry')
  const record = await readRecord(chain, sessionId, limits)
  if (record === undefined) {
    const what = `The registry ${chain.registry} knows no session ${sessionId}`
    throw new VerificationError('not-registered', 'reading the registry', what)
  }
  const manifest = await readManifest(sessionId, record, gateway, profile, at)
  const missingIndexes = missingIndexesOf(manifest)
  chunksTotal = manifest.chunks.length
  const source = { gateway, profile, sessionKey: await openKey(chain, manifest, groupSecret, limits, at) }
  groupSecret.fill(0)

  async function* chunks() {
    let verified = 0
    for (const listed of manifest.chunks) {
      at('fetching a chunk', verified)
      const chunk = await readChunk(source, listed)
      verified += 1
      at('opening a chunk', verified)
      yield chunk
    }
  }

  async function readAll() {
    const all: VerifiedChunk[] = []
    for await (const chunk of chunks()) all.push(chunk)
    return all
  }

  async function bytes() {
    const sizeBytes = manifest.chunks.reduce((sum, { size }) => sum + size - TAG_BYTES, 0)
    const whole = new Uint8Array(sizeBytes)
    let offset = 0
    for await (const { plaintext } of chunks()) {
      whole.set(plaintext, offset)
      offset += plaintext.length
    }
    return whole
  }

  return { manifest, record, missingIndexes, chunks, readAll, bytes }
}
