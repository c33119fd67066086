import { HoldfastError } from './errors.ts'
import { isCid, isGroupId, isHex, isSessionId, isSessionName, isSha256Hex, type SessionId } from './ids.ts'
import type { Labels } from './labels.ts'
import {
  MAX_CHUNK_BYTES,
  MAX_DURATION_MS,
  MAX_INDEXES,
  MAX_METADATA_BYTES,
  MAX_TIME_MS,
  PROTOCOL_VERSION,
  TAG_BYTES,
  type HandedChunk,
  type Member,
  type Request,
  type RequestType,
  type SessionStart,
} from './messages.ts'
import { isMimeType } from './mime-type.ts'
import { POLICIES } from './snapshot.ts'

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
const isHexOf =
  (byteLength: number): Check<string> =>
  (value): value is string =>
    isHex(value, byteLength)
const isOneOf =
  <T>(...values: readonly T[]): Check<T> =>
  (value): value is T =>
    values.includes(value as T)
const isRequestType: Check<RequestType> = (value): value is RequestType =>
  typeof value === 'string' && Object.hasOwn(REQUESTS, value)
/** Their names are the page's affair: here they are bounded. */
const isLabels: Check<Labels> = (value): value is Labels =>
  isObject(value) && Object.values(value).every(isString(1_024)) && JSON.stringify(value).length <= 1_024
const isBlob: Check<Blob> = (value): value is Blob => value instanceof Blob
/** PKCS#8 of a P-256 key has about 140 bytes. */
const isPkcs8: Check<ArrayBuffer> = (value): value is ArrayBuffer =>
  value instanceof ArrayBuffer && value.byteLength < 256
const isTime = isInteger(MAX_TIME_MS)
const isDuration = isInteger(MAX_DURATION_MS)
/** A chunk's, or how many of them there are. */
const isIndex = isInteger(MAX_INDEXES)
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
    throw new HoldfastError('protocol-mismatch', `The worker has version ${PROTOCOL_VERSION}.`)
  const type = own(data, 'type')
  if (!isRequestType(type)) throw bad('type')
  return { type, ...REQUESTS[type](data) } as Request
}

function parseSession(data: unknown): SessionStart {
  const session = fields(data, 'session', SESSION)
  // Not `map`, which would leave out the holes of a sparse list.
  const access = Array.from(session.access, (each) => fields(each, 'access', MEMBER))
  if (access.some(({ id }, at) => at > 0 && id <= access[at - 1]!.id)) throw bad('access')
  return { ...session, access } as SessionStart
}

function parseChunk(data: unknown): HandedChunk {
  const common = fields(data, 'chunk', CHUNK)
  const { kind, payload } = common
  if (payload.size > MAX_CHUNK_BYTES)
    throw new HoldfastError('chunk-too-large', `The chunk has ${payload.size} bytes.`)
  if (kind === 'raw') return { ...common, kind }
  if (payload.size < TAG_BYTES) throw bad('payload')
  return { ...common, kind, ...fields(data, 'chunk', SEAL) }
}

/** What each field of an object has to be. */
type Checks<T> = {
  readonly [Name in keyof T]-?: object extends Pick<T, Name> ? Check<T[Name] | undefined> : Check<T[Name]>
}
type FieldsOf<Type extends RequestType> = Omit<Extract<Request, { type: Type }>, 'type'>
type Parse<T> = (data: Fields) => T

/** A field that may be absent. */
const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value): value is T | undefined =>
    value === undefined || check(value)

const withFields =
  <T>(checks: NoInfer<Checks<T>>): Parse<T> =>
  (data) =>
    fields(data, '', checks)

const OF_SESSION = { sessionId: isSessionId }
const STORE_CHOICE = { stores: optional(isNames), atLeast: optional(isInteger(8, 1)) }

const ofSession = withFields<{ sessionId: SessionId }>(OF_SESSION)

/** The fields of each request. */
const REQUESTS: { readonly [Type in RequestType]: Parse<FieldsOf<Type>> } = {
  hello: withFields({ again: optional(isOneOf(true, false)) }),
  sessions: () => ({}),
  'session-start': (data) => ({ session: parseSession(own(data, 'session')) }),
  chunk: (data) => ({ chunk: parseChunk(own(data, 'chunk')) }),
  'session-end': withFields({
    ...OF_SESSION,
    indexes: optional(isIndex),
    how: optional(isOneOf('interrupted')),
  }),
  chunks: ofSession,
  log: ofSession,
  pause: ofSession,
  resume: ofSession,
  adopt: ofSession,
  discard: withFields({ ...OF_SESSION, confirm: optional(isString(64)) }),
  policy: withFields({ policy: optional(isOneOf(...POLICIES)) }),
}

const SESSION = {
  ...OF_SESSION,
  ...STORE_CHOICE,
  publicKey: isHexOf(64),
  signingKey: isPkcs8,
  sealingKey: isHexOf(32),
  mimeType: isMimeType,
  startedAtMs: isTime,
  access: isList(16),
  continues: optional(isSessionName),
  seal: isOneOf<SessionStart['seal']>('page', 'worker'),
  metadata: optional(isString(2 * MAX_METADATA_BYTES)),
  labels: optional(isLabels),
  fingerprint: optional(isSha256Hex),
}
const MEMBER: Checks<Member> = { id: isGroupId, tag: isSha256Hex, sealedKey: isHexOf(80) }
const CHUNK = {
  ...OF_SESSION,
  kind: isOneOf<HandedChunk['kind']>('raw', 'sealed'),
  index: isIndex,
  plaintextHash: isSha256Hex,
  capturedAtMs: isTime,
  durationMs: isDuration,
  payload: isBlob,
}
const SEAL = { encryptedHash: isSha256Hex, iv: isHexOf(12), chunkKey: isHexOf(80), cid: isCid }

/** The checked fields of an object, and no others; what is absent stays so. */
function fields<T>(data: unknown, what: string, checks: Checks<T>): T {
  if (!isObject(data)) throw bad(what)
  const checked: Record<string, unknown> = {}
  for (const [name, check] of Object.entries<Check<unknown>>(checks)) {
    const value = own(data, name)
    if (!check(value)) throw bad(name)
    if (value !== undefined) checked[name] = value
  }
  return checked as T
}

/** A field of the message itself: one that is inherited, or cannot be read, is missing. */
function own(data: Fields, name: string): unknown {
  try {
    return Object.hasOwn(data, name) ? data[name] : undefined
  } catch {
    return undefined
  }
}

const bad = (name: string) => new HoldfastError('bad-message', `The field "${name}" is malformed.`)
