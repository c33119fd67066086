declare const brand: unique symbol
type Branded<Value, Name extends string> = Value & { readonly [brand]: Name }

/** One recording: a lower-case UUID v4. */
export type SessionId = Branded<string, 'SessionId'>
/**
 * A session as its entries, its heads and the chain know it: the 16 bytes of its UUID, then 16 of its key's hash. 64
 * lower-case hex digits (docs/evidence-format.md).
 */
export type SessionName = Branded<string, 'SessionName'>
/** One immutable piece of a recording: `<session id>/<index>`, so an index can hold one content only. */
export type ChunkId = Branded<string, 'ChunkId'>
/** Of a group's public key (docs/evidence-format.md): `0x` and 64 lower-case hex digits. */
export type GroupId = Branded<string, 'GroupId'>
/** SHA-256 digest: 64 lower-case hex digits. */
export type Sha256Hex = Branded<string, 'Sha256Hex'>
/** CIDv1 in base32 (`b…`) of a UnixFS file or of its single raw leaf. */
export type Cid = Branded<string, 'Cid'>

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const matches = (value: unknown, form: RegExp) => typeof value === 'string' && form.test(value)

export const isSessionId = (value: unknown): value is SessionId => matches(value, UUID_V4)
export const isSessionName = (value: unknown): value is SessionName => isHex(value, 32)
export const isSha256Hex = (value: unknown): value is Sha256Hex => isHex(value, 32)
export const isGroupId = (value: unknown): value is GroupId => matches(value, /^0x[0-9a-f]{64}$/)
export const isCid = (value: unknown): value is Cid => matches(value, /^b[a-z2-7]{20,120}$/)
/** A fixed number of bytes, in lower-case hex. */
export const isHex = (value: unknown, byteLength: number): value is string =>
  matches(value, /^[0-9a-f]+$/) && (value as string).length === 2 * byteLength

export const chunkIdOf = (sessionId: SessionId, index: number) => `${sessionId}/${index}` as ChunkId
