import { HoldfastError } from './errors.ts'
import { isGroupId, isHex, isSessionId, type SessionId, type Sha256Hex } from './ids.ts'
import type { Labels } from './labels.ts'
import {
  MAX_CHUNK_BYTES,
  MAX_DURATION_MS,
  MAX_INDEXES,
  MAX_METADATA_BYTES,
  MAX_NOTES,
  MAX_TIME_MS,
  PROTOCOL_VERSION,
  TAG_BYTES,
  type HandedChunk,
  type Member,
  type Request,
  type RequestType,
  type Seal,
  type SessionStart,
} from './messages.ts'
import { isMimeType } from './mime-type.ts'
import { POLICIES } from './snapshot.ts'

type Data = Readonly<Record<string, unknown>>

/**
 * What a field of this name has to be: gives what is taken of its value, and throws `bad-message` with the name for any
 * other.
 */
type Parse<T> = (value: unknown, name: string) => T

/** The fields of an object. */
type Fields<T> = {
  readonly [Name in keyof T]-?: object extends Pick<T, Name> ? Parse<T[Name] | undefined> : Parse<T[Name]>
}

const bad = (name: string) => new HoldfastError('bad-message', `The field "${name}" is malformed.`)

const isObject = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A field of the message itself: one that is inherited, or cannot be read, is missing. */
function own(data: Data, name: string): unknown {
  try {
    return Object.hasOwn(data, name) ? data[name] : undefined
  } catch {
    return undefined
  }
}

const is =
  <T>(check: (value: unknown) => value is T): Parse<T> =>
  (value, name) => {
    if (check(value)) return value
    throw bad(name)
  }

/** One that may be absent. */
const optional =
  <T>(parse: Parse<T>): Parse<T | undefined> =>
  (value, name) =>
    value === undefined ? value : parse(value, name)

/** These fields, and no others; what is absent stays so. */
const object =
  <T>(fields: Fields<T>): Parse<T> =>
  (value, name) => {
    if (!isObject(value)) throw bad(name)
    const parsed: Record<string, unknown> = {}
    for (const [field, parse] of Object.entries<Parse<unknown>>(fields)) {
      const taken = parse(own(value, field), field)
      if (taken !== undefined) parsed[field] = taken
    }
    return parsed as T
  }

const list =
  <T>(maxLength: number, parse: Parse<T>): Parse<readonly T[]> =>
  (value, name) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > maxLength) throw bad(name)
    // Not `map`, which would leave out the holes of a sparse list.
    return Array.from(value, (each) => parse(each, name))
  }

const text = (maxLength: number) =>
  is((value): value is string => typeof value === 'string' && value.length <= maxLength)
const integer = (max: number, min = 0) =>
  is(
    (value): value is number =>
      Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
  )
const hex = <T extends string>(byteLength: number) => is((value): value is T => isHex(value, byteLength))
const oneOf = <const T>(...values: readonly T[]) => is((value): value is T => values.includes(value as T))
const sha256 = hex<Sha256Hex>(32)
const time = integer(MAX_TIME_MS)
/** A chunk's, or how many of them there are. */
const index = integer(MAX_INDEXES)
/** Their names are the page's affair: here they are bounded. */
const sealed = text(2 * MAX_METADATA_BYTES)
const labels = is(
  (value): value is Labels =>
    isObject(value) &&
    Object.values(value).every((label) => typeof label === 'string') &&
    JSON.stringify(value).length <= 1_024,
)

const OF_SESSION = { sessionId: is(isSessionId) }
const ofSession = object<{ sessionId: SessionId }>(OF_SESSION)

const members = list(16, object<Member>({ id: is(isGroupId), tag: sha256, sealedKey: hex(80) }))

const start = object<SessionStart>({
  ...OF_SESSION,
  publicKey: hex(64),
  // PKCS#8 of a P-256 key has about 140 bytes.
  signingKey: is((value): value is ArrayBuffer => value instanceof ArrayBuffer && value.byteLength < 256),
  sealingKey: hex(32),
  mimeType: is(isMimeType),
  startedAtMs: time,
  /** By ascending id, each once. */
  access(value, name) {
    const access = members(value, name)
    if (access.some(({ id }, at) => at > 0 && id <= access[at - 1]!.id)) throw bad(name)
    return access
  },
  // That each is a store of the worker, and named once, is for whoever knows the stores.
  stores: optional(list(8, text(64))),
  atLeast: optional(integer(8, 1)),
  continues: optional(hex(32)),
  seal: oneOf('page', 'worker'),
  metadata: optional(sealed),
  labels: optional(labels),
  fingerprint: optional(sha256),
})

const handed = object<HandedChunk>({
  ...OF_SESSION,
  index,
  plaintextHash: sha256,
  capturedAtMs: time,
  durationMs: integer(MAX_DURATION_MS),
  payload: is((value): value is Blob => value instanceof Blob),
  seal: optional(object<Seal>({ encryptedHash: sha256, iv: hex(12), chunkKey: hex(80) })),
})

const chunk: Parse<HandedChunk> = (value, name) => {
  const parsed = handed(value, name)
  const { payload, seal } = parsed
  if (payload.size > MAX_CHUNK_BYTES)
    throw new HoldfastError('chunk-too-large', `The chunk has ${payload.size} bytes.`)
  if (seal && payload.size < TAG_BYTES) throw bad('payload')
  return parsed
}

type FieldsOf<Type extends RequestType> = Omit<Extract<Request, { type: Type }>, 'type'>

/** The fields of each request. */
const REQUESTS: { readonly [Type in RequestType]: Parse<FieldsOf<Type>> } = {
  hello: object<FieldsOf<'hello'>>({ again: optional(oneOf(true, false)) }),
  sessions: object({}),
  'session-start': object({ session: start }),
  chunk: object({ chunk }),
  note: object<FieldsOf<'note'>>({ ...OF_SESSION, index: integer(MAX_NOTES - 1), atMs: time, sealed }),
  'session-end': object<FieldsOf<'session-end'>>({
    ...OF_SESSION,
    indexes: optional(index),
    how: optional(oneOf('interrupted')),
  }),
  chunks: ofSession,
  bytes: object({ ...OF_SESSION, index }),
  log: ofSession,
  pause: ofSession,
  resume: ofSession,
  adopt: ofSession,
  discard: object<FieldsOf<'discard'>>({ ...OF_SESSION, confirm: optional(text(64)) }),
  policy: object<FieldsOf<'policy'>>({ policy: optional(oneOf(...POLICIES)) }),
}

/** True for a message that is meant for us, whatever else is wrong with it. */
export const isOurs = (data: unknown): data is Data => isObject(data) && own(data, 'holdfast') !== undefined

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
  if (typeof type !== 'string' || !Object.hasOwn(REQUESTS, type)) throw bad('type')
  return { type, ...REQUESTS[type as RequestType](data, type) } as Request
}
