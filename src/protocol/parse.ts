import { HoldfastError } from './errors.ts'
import { isCid, isGroupId, isSessionId, isSha256Hex } from './ids.ts'
import {
  MAX_CHUNK_BYTES,
  PROTOCOL_VERSION,
  type HandedChunk,
  type Request,
  type SessionStart,
  type WrappedKey,
} from './messages.ts'
import { POLICIES, type Policy } from './snapshot.ts'

type Fields = Readonly<Record<string, unknown>>
type Check<T> = (value: unknown) => value is T

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isString =
  (maxLength: number): Check<string> =>
  (value): value is string =>
    typeof value === 'string' && value.length <= maxLength
const isInteger =
  (max: number, min = 0): Check<number> =>
  (value): value is number =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
/** Base64 of a fixed number of bytes, a multiple of 3: then it has no padding. */
const isBase64 =
  (byteLength: number): Check<string> =>
  (value): value is string =>
    typeof value === 'string' && value.length === (byteLength / 3) * 4 && /^[A-Za-z0-9+/]+$/.test(value)
const isBoolean: Check<boolean> = (value): value is boolean => typeof value === 'boolean'
const isPolicy: Check<Policy> = (value): value is Policy => POLICIES.includes(value as Policy)
const isBlob: Check<Blob> = (value): value is Blob => value instanceof Blob
const isSealKey: Check<CryptoKey> = (value): value is CryptoKey =>
  value instanceof CryptoKey && value.algorithm.name === 'HKDF' && !value.extractable

/** Largest time in ms that a Date holds (ECMA-262 §21.4.1.1). */
const isTime = isInteger(8.64e15)
/** What AES-GCM adds to a plaintext, so the least that a ciphertext has (NIST SP 800-38D). */
const TAG_BYTES = 16
const isIndex = isInteger(0xffff_ffff)
const isIv = isBase64(12)
const isList =
  (maxLength: number): Check<readonly unknown[]> =>
  (value): value is readonly unknown[] =>
    Array.isArray(value) && value.length > 0 && value.length <= maxLength
/** Names; that each is a store of the worker, and named once, is for whoever knows the stores. */
const isNames: Check<string[]> = (value): value is string[] =>
  // Not `every` alone, which would leave out the holes of a sparse list.
  isList(8)(value) && Array.from(value).every(isString(64))

/** True for a message that is meant for us, whatever else is wrong with it. */
export const isOurs = (data: unknown): data is Fields => isObject(data) && own(data, 'holdfast') !== undefined

/**
 * A page's message, checked field by field; whatever else it carries is left behind.
 *
 * @throws HoldfastError `bad-message` naming the field, `chunk-too-large`, `protocol-mismatch`
 */
export function parseRequest(data: unknown): Request {
  if (!isOurs(data)) throw bad('holdfast')
  if (own(data, 'holdfast') !== PROTOCOL_VERSION)
    throw new HoldfastError('protocol-mismatch', `This worker speaks version ${PROTOCOL_VERSION}.`)
  const type = own(data, 'type')
  switch (type) {
    case 'hello':
      return { type, ...optional(data, 'again', isBoolean) }
    case 'sessions':
      return { type }
    case 'session-start':
      return { type, session: parseSession(own(data, 'session')) }
    case 'chunk':
      return { type, chunk: parseChunk(own(data, 'chunk')) }
    case 'session-end':
      return {
        type,
        sessionId: field(data, 'sessionId', isSessionId),
        ...optional(data, 'indexes', isInteger(0x1_0000_0000)),
      }
    case 'chunks':
    case 'pause':
    case 'resume':
      return { type, sessionId: field(data, 'sessionId', isSessionId) }
    case 'discard':
      return {
        type,
        sessionId: field(data, 'sessionId', isSessionId),
        ...optional(data, 'confirm', isString(64)),
      }
    case 'policy':
      return { type, ...optional(data, 'policy', isPolicy) }
    default:
      throw bad('type')
  }
}

function parseSession(data: unknown): SessionStart {
  const session = fields(data, 'session', {
    access: isList(64),
    sessionId: isSessionId,
    mimeType: isString(255),
    startedAtMs: isTime,
  })
  // Not `map`, which would leave out the holes of a sparse list.
  const access = Array.from(session.access, (each) => fields(each, 'access', WRAPPED_KEY))
  if (new Set(access.map(({ groupId }) => groupId)).size !== access.length) throw bad('access')
  const given = data as Fields
  return {
    ...session,
    access,
    ...optional(given, 'stores', isNames),
    ...optional(given, 'atLeast', isInteger(8, 1)),
    ...optional(given, 'continues', isSessionId),
    ...optional(given, 'sealKey', isSealKey),
  }
}

const WRAPPED_KEY: Checks<WrappedKey> = { groupId: isGroupId, wrappedKey: isBase64(48), iv: isIv }

function parseChunk(data: unknown): HandedChunk {
  const common = fields(data, 'chunk', {
    kind: isString(6),
    sessionId: isSessionId,
    index: isIndex,
    plaintextHash: isSha256Hex,
    capturedAtMs: isTime,
    durationMs: isTime,
    payload: isBlob,
  })
  const { kind, payload } = common
  if (payload.size > MAX_CHUNK_BYTES)
    throw new HoldfastError('chunk-too-large', `The chunk has ${payload.size} bytes.`)
  if (kind === 'raw') return { ...common, kind }
  if (kind !== 'sealed') throw bad('kind')
  if (payload.size < TAG_BYTES) throw bad('payload')
  return { ...common, kind, ...fields(data, 'chunk', { encryptedHash: isSha256Hex, iv: isIv, cid: isCid }) }
}

/** What each field of an object has to be. */
type Checks<T> = { readonly [Name in keyof T]: Check<T[Name]> }

/** The checked fields of an object, and no others. */
function fields<T>(data: unknown, what: string, checks: Checks<T>): T {
  if (!isObject(data)) throw bad(what)
  const entries = Object.entries<Check<unknown>>(checks)
  return Object.fromEntries(entries.map(([name, check]) => [name, field(data, name, check)])) as T
}

function field<T>(data: Fields, name: string, check: Check<T>): T {
  const value = own(data, name)
  if (!check(value)) throw bad(name)
  return value
}

/** A field that may be absent. */
const optional = <Name extends string, T>(data: Fields, name: Name, check: Check<T>) =>
  (own(data, name) === undefined ? {} : { [name]: field(data, name, check) }) as { [Key in Name]?: T }

/** A field of the message itself: one that is inherited, or cannot be read, is missing. */
function own(data: Fields, name: string): unknown {
  try {
    return Object.hasOwn(data, name) ? data[name] : undefined
  } catch {
    return undefined
  }
}

const bad = (name: string) =>
  new HoldfastError('bad-message', `The field "${name}" is not what the protocol defines.`)
