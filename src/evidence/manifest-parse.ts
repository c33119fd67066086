import { HoldfastError } from '../protocol/errors.ts'
import { isCid, isGroupId, isSessionId, isSha256Hex } from '../protocol/ids.ts'
import { MAX_CHUNK_BYTES } from '../protocol/messages.ts'
import { TAG_BYTES, type WrappedSessionKey } from './keys.ts'
import { MANIFEST_STATUSES, type Manifest, type ManifestChunk } from './manifest.ts'

/** A manifest that breaks the format; `field` is the path of what is wrong, as `chunks[3].iv`. */
export class ManifestError extends HoldfastError {
  readonly field: string

  constructor(field: string, expected: string, found: unknown) {
    const shown = (JSON.stringify(found) ?? 'nothing').slice(0, 80)
    super('bad-input', `Manifest field ${field} must be ${expected}; found ${shown}`)
    this.field = field
  }
}

type Fields = Readonly<Record<string, unknown>>
interface Rule<Value> {
  readonly expected: string
  readonly holds: (value: unknown) => value is Value
}

const rule = <Value>(expected: string, holds: (value: unknown) => value is Value): Rule<Value> => ({
  expected,
  holds,
})
const whole = (from: number, to: number, expected: string) =>
  rule(
    expected,
    (value): value is number => Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to,
  )
const text = (pattern: RegExp, expected: string) =>
  rule(expected, (value): value is string => typeof value === 'string' && pattern.test(value))
const oneOf = <const Value>(...values: readonly Value[]) =>
  rule(values.map((value) => JSON.stringify(value)).join(' or '), (value): value is Value =>
    values.some((allowed) => allowed === value),
  )

const UUID = rule('a lower-case UUID v4', isSessionId)
const SHA256 = rule('64 lower-case hex digits', isSha256Hex)
const CONTENT_ADDRESS = rule('a CIDv1 in base32', isCid)
const GROUP_ID = rule('keyed by group ids', isGroupId)
const ADDRESS = text(/^0x[0-9a-f]{40}$/i, 'an address')
const TIME = whole(0, Number.MAX_SAFE_INTEGER, 'whole ms since the epoch')
const INDEX = whole(0, 0xffff_ffff, 'a whole number from 0 to 4294967295')
const SIZE = whole(
  TAG_BYTES,
  MAX_CHUNK_BYTES + TAG_BYTES,
  `a whole number from ${TAG_BYTES} to ${MAX_CHUNK_BYTES + TAG_BYTES}`,
)
const DURATION = rule('ms from 0', (value): value is number => Number.isFinite(value) && Number(value) >= 0)
// 12 and 48 bytes fill whole Base64 groups, so neither has padding.
const IV = text(/^[A-Za-z0-9+/]{16}$/, 'Base64 of 12 bytes')
const WRAPPED_KEY = text(/^[A-Za-z0-9+/]{64}$/, 'Base64 of 48 bytes')
const FIELDS = rule(
  'an object',
  (value): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value),
)
const LIST = rule(
  'an array of at least one',
  (value): value is unknown[] => Array.isArray(value) && value.length > 0,
)

function checked<Value>(value: unknown, field: string, { holds, expected }: Rule<Value>): Value {
  if (!holds(value)) throw new ManifestError(field, expected, value)
  return value
}

function chunkOf(value: unknown, path: string): ManifestChunk {
  const fields = checked(value, path, FIELDS)
  const field = <Value>(name: string, rule: Rule<Value>) => checked(fields[name], `${path}.${name}`, rule)
  return {
    index: field('index', INDEX),
    cid: field('cid', CONTENT_ADDRESS),
    size: field('size', SIZE),
    duration: field('duration', DURATION),
    plaintextHash: field('plaintextHash', SHA256),
    encryptedHash: field('encryptedHash', SHA256),
    iv: field('iv', IV),
    capturedAt: field('capturedAt', TIME),
    uploadedAt: field('uploadedAt', TIME),
  }
}

function chunksOf(value: unknown): ManifestChunk[] {
  let previous = -1
  return checked(value, 'chunks', LIST).map((entry, at) => {
    const chunk = chunkOf(entry, `chunks[${at}]`)
    if (chunk.index <= previous) {
      throw new ManifestError(`chunks[${at}].index`, `greater than the one before, ${previous}`, chunk.index)
    }
    previous = chunk.index
    return chunk
  })
}

function accessListOf(value: unknown): Record<string, WrappedSessionKey> {
  const groups = Object.entries(checked(value, 'accessList', FIELDS)).map(([key, entry]) => {
    const groupId = checked(key, 'accessList', GROUP_ID)
    const path = `accessList.${groupId}`
    const fields = checked(entry, path, FIELDS)
    const wrappedKey = checked(fields['wrappedKey'], `${path}.wrappedKey`, WRAPPED_KEY)
    return [groupId, { wrappedKey, iv: checked(fields['iv'], `${path}.iv`, IV) }] as const
  })
  if (groups.length === 0) throw new ManifestError('accessList', 'of at least one group', value)
  return Object.fromEntries(groups.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The manifest with exactly its own fields. */
function manifestOf(value: unknown): Manifest {
  const fields = checked(value, '(root)', FIELDS)
  const field = <Value>(name: string, rule: Rule<Value>) => checked(fields[name], name, rule)
  const version = field('version', oneOf(1))
  const encryption = field('encryption', FIELDS)
  return {
    version,
    contentId: field('contentId', UUID),
    sessionId: field('sessionId', UUID),
    uploader: field('uploader', ADDRESS),
    captureStarted: field('captureStarted', TIME),
    lastUpdated: field('lastUpdated', TIME),
    status: field('status', oneOf(...MANIFEST_STATUSES)),
    merkleRoot: field('merkleRoot', SHA256),
    encryption: {
      algorithm: checked(encryption['algorithm'], 'encryption.algorithm', oneOf('aes-256-gcm')),
      keyDerivation: checked(encryption['keyDerivation'], 'encryption.keyDerivation', oneOf('hkdf-sha256')),
    },
    accessList: accessListOf(fields['accessList']),
    chunks: chunksOf(fields['chunks']),
  }
}

/**
 * The manifest that untrusted bytes hold, every field checked for type and range; unknown fields are left out.
 *
 * Whether hashes, addresses and ids are true is for the caller to check.
 *
 * @throws ManifestError (`bad-input`) that names the first field that is wrong
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new ManifestError('(root)', 'JSON in UTF-8', `${bytes.length} bytes of something else`)
  }
  return manifestOf(value)
}
