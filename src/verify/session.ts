import { UNIXFS_V1_2025, contentAddress, type CidProfile } from '../evidence/cid.ts'
import { groupIdOf } from '../evidence/group.ts'
import { importSessionKey, KEY_BYTES, TAG_BYTES, unwrapSessionKey } from '../evidence/keys.ts'
import { manifestRoot, parseManifest, type Manifest } from '../evidence/manifest.ts'
import type { RegistryRecord } from '../evidence/registry.ts'
import { isCid, isSessionId, type SessionId } from '../protocol/ids.ts'
import { readInGroup, readRecord, type Chain } from './chain.ts'
import { readChunk, type VerifiedChunk } from './chunk.ts'
import { VerificationError, type VerificationCode, type VerificationStep } from './error.ts'
import { fetchContent, type Gateway } from './gateway.ts'

/** How far the verifier is; `chunksVerified` counts since the last call of `chunks`. */
export interface VerificationProgress {
  readonly step: VerificationStep
  readonly chunksVerified: number
  /** 0 until the manifest is read. */
  readonly chunksTotal: number
}

export interface OpenSessionOptions {
  readonly chain: Chain
  /** Base of an IPFS HTTP gateway: content is asked for at `<gateway>/ipfs/<cid>`. */
  readonly gateway: string
  /** The session's UUID v4, lower case. */
  readonly sessionId: string
  /** 32 bytes. */
  readonly groupSecret: Uint8Array
  /** Ends this and every later read of the session, with the signal's reason. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: VerificationProgress) => void
  /** Longest silence of a server, in ms; 30 000 unless told otherwise. */
  readonly timeoutMs?: number
  /** How the store lays out files; `unixfs-v1-2025` unless told otherwise. */
  readonly cidProfile?: CidProfile
}

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

const DEFAULT_TIMEOUT_MS = 30_000
const MAX_TIMEOUT_MS = 2 ** 31 - 1 // beyond it timers fire at once
const MAX_MANIFEST_BYTES = 64 * 1024 * 1024
/** A manifest that skips more indexes than this is no recording, and listing them would cost memory. */
const MAX_MISSING = 1_000_000

const isHttpUrl = (value: unknown) =>
  typeof value === 'string' && /^https?:$/.test(URL.canParse(value) ? new URL(value).protocol : '')

/** The arguments, checked: what JavaScript callers pass may be anything. */
function checkArguments(options: OpenSessionOptions) {
  const { chain, gateway, sessionId, groupSecret, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const refuse = (name: string, expected: string): never => {
    throw new VerificationError('bad-input', 'checking the arguments', `${name} must be ${expected}`)
  }
  if (!isSessionId(sessionId)) return refuse('sessionId', 'a lower-case UUID v4')
  if (!(groupSecret instanceof Uint8Array) || groupSecret.length !== KEY_BYTES) {
    return refuse('groupSecret', `a Uint8Array of ${KEY_BYTES} bytes`)
  }
  if (!isHttpUrl(chain?.rpcUrl)) return refuse('chain.rpcUrl', 'an http(s) URL')
  if (!/^0x[0-9a-f]{40}$/i.test(chain.registry)) return refuse('chain.registry', '0x and 40 hex digits')
  if (!isHttpUrl(gateway)) return refuse('gateway', 'an http(s) URL')
  if (!(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) {
    return refuse('timeoutMs', `more than 0 and at most ${MAX_TIMEOUT_MS}`)
  }
  // A copy of the secret, so that the caller may overwrite its own.
  return { chain, sessionId, groupSecret: Uint8Array.from(groupSecret), gateway, timeoutMs }
}

/** The manifest under the anchored address, with everything that it claims about itself held against the chain. */
async function readManifest(
  sessionId: SessionId,
  record: RegistryRecord,
  gateway: Gateway,
  profile: CidProfile,
  at: (step: VerificationStep) => void,
): Promise<Manifest> {
  const failure = (code: VerificationCode, what: string, cause?: unknown) =>
    new VerificationError(code, 'checking the manifest', what, { cause })
  const { manifestCid } = record
  if (!isCid(manifestCid)) {
    const found = JSON.stringify(manifestCid.slice(0, 80))
    throw failure(
      'manifest-address',
      `The chain's manifest address should be a CIDv1 in base32, found ${found}`,
    )
  }
  at('fetching the manifest')
  const bytes = await fetchContent(gateway, {
    cid: manifestCid,
    what: 'The manifest',
    maxBytes: MAX_MANIFEST_BYTES,
    step: 'fetching the manifest',
    missing: 'manifest-missing',
    tooLong: 'manifest-malformed',
  })
  at('checking the manifest')
  const address = await contentAddress(bytes, profile)
  if (address !== manifestCid) {
    const what = `The manifest's address should be ${manifestCid}, as on chain; the ${bytes.length} bytes served have ${address}`
    throw failure('manifest-address', what)
  }
  let manifest: Manifest
  try {
    manifest = parseManifest(bytes)
  } catch (cause) {
    throw failure('manifest-malformed', cause instanceof Error ? cause.message : String(cause), cause)
  }
  for (const field of ['sessionId', 'contentId'] as const) {
    if (manifest[field] !== sessionId) {
      throw failure(
        'manifest-session',
        `The manifest's ${field} should be ${sessionId}, found ${manifest[field]}`,
      )
    }
  }
  if (manifest.chunks.length !== record.chunkCount) {
    const what = `The manifest should list ${record.chunkCount} chunks, as on chain; found ${manifest.chunks.length}`
    throw failure('count', what)
  }
  const root = await manifestRoot(manifest.chunks)
  if (root !== record.merkleRoot) {
    const what = `The Merkle root should be ${record.merkleRoot}, as on chain; the chunks listed have ${root}`
    throw failure('root', what)
  }
  if (manifest.merkleRoot !== root) {
    throw failure('root', `The manifest's merkleRoot should be ${root}, found ${manifest.merkleRoot}`)
  }
  if (manifest.uploader.toLowerCase() !== record.creator) {
    const what = `The manifest's uploader should be ${record.creator}, as on chain; found ${manifest.uploader}`
    throw failure('uploader', what)
  }
  return manifest
}

function missingIndexesOf({ chunks }: Manifest): number[] {
  const missing: number[] = []
  const skipped = (chunks.at(-1)?.index ?? 0) + 1 - chunks.length
  if (skipped > MAX_MISSING) {
    const what = `The manifest should skip at most ${MAX_MISSING} indexes, found ${skipped} skipped`
    throw new VerificationError('manifest-malformed', 'checking the manifest', what)
  }
  let next = 0
  for (const { index } of chunks) {
    for (; next < index; next++) missing.push(next)
    next = index + 1
  }
  return missing
}

/** The session key, once the chain binds the session to the secret's group. */
async function openKey(
  chain: Chain,
  manifest: Manifest,
  groupSecret: Uint8Array<ArrayBuffer>,
  limits: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  at: (step: VerificationStep) => void,
): Promise<CryptoKey> {
  at('checking the group')
  const groupId = groupIdOf(groupSecret)
  const failure = (code: VerificationCode, step: VerificationStep, what: string, cause?: unknown) =>
    new VerificationError(code, step, what, { cause })
  if (!(await readInGroup(chain, manifest.sessionId, groupId, limits))) {
    const what = `The chain does not bind the session to group ${groupId}, which the group secret belongs to`
    throw failure('group', 'checking the group', what)
  }
  const wrapped = manifest.accessList[groupId]
  if (wrapped === undefined) {
    const found = Object.keys(manifest.accessList).join(', ')
    const what = `The manifest's access list should have group ${groupId}, as on chain; found ${found.slice(0, 400)}`
    throw failure('group', 'checking the group', what)
  }
  at('unwrapping the session key')
  try {
    const raw = await unwrapSessionKey(wrapped, groupSecret)
    const key = await importSessionKey(raw)
    raw.fill(0)
    return key
  } catch (cause) {
    const what = `The key wrapped for group ${groupId} does not open under the group secret`
    throw failure('key', 'unwrapping the session key', what, cause)
  }
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
  const { chain, sessionId, groupSecret, gateway: base, timeoutMs } = checkArguments(options)
  const { signal, onProgress, cidProfile: profile = UNIXFS_V1_2025 } = options
  const limits = { timeoutMs, signal }
  const gateway = { ...limits, url: base.replace(/\/+$/, '') }
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
