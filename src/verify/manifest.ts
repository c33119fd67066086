import { contentAddress, type CidProfile } from '../evidence/cid.ts'
import { parseManifest } from '../evidence/manifest-parse.ts'
import { manifestRoot, type Manifest } from '../evidence/manifest.ts'
import type { RegistryRecord } from '../evidence/registry.ts'
import { isCid, type SessionId } from '../protocol/ids.ts'
import type { VerificationCode } from '../protocol/verification-code.ts'
import { VerificationError, type VerificationStep } from './error.ts'
import { fetchContent, type Gateway } from './gateway.ts'

const MAX_MANIFEST_BYTES = 64 * 1024 * 1024
/** A manifest that skips more indexes than this is no recording, and listing them would cost memory. */
const MAX_MISSING = 1_000_000

/**
 * The manifest under the anchored address, all that it claims about itself held against the chain:
 * address, format, session, count, root, uploader, in this order.
 *
 * @throws VerificationError with the first thing that is wrong
 */
export async function readManifest(
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

/**
 * The indexes from 0 to the highest listed that no chunk has.
 *
 * @throws VerificationError (`manifest-malformed`) where they are more than a recording can have
 */
export function missingIndexesOf({ chunks }: Manifest): number[] {
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
