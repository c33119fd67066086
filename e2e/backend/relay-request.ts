import { isCid, isGroupId, isSessionId, isSha256Hex } from '../../src/protocol/ids.ts'

/** A call of the registry's `updateSession`, as a client asks for it. */
export interface AnchorCall {
  readonly sessionId: string
  readonly merkleRoot: string
  readonly manifestCid: string
  readonly chunkCount: number
  readonly groupIds: readonly `0x${string}`[]
}

export type ParsedCall =
  { readonly call: AnchorCall } | { readonly error: string; readonly field: string | undefined }

const MAX_GROUPS = 64

const FIELDS: Record<keyof AnchorCall, { holds: (value: unknown) => boolean; form: string }> = {
  sessionId: { holds: isSessionId, form: 'a lower-case UUID v4' },
  merkleRoot: { holds: isSha256Hex, form: '64 lower-case hex digits' },
  manifestCid: { holds: isCid, form: 'a CIDv1 in base32' },
  chunkCount: { holds: isCount, form: 'an integer from 1 to 4294967295' },
  groupIds: { holds: isGroupList, form: `1 to ${MAX_GROUPS} different 0x… values of 32 bytes, lower-case` },
}

/** The call in a request's body, or the first field that is wrong. */
export function parseAnchorCall(body: string): ParsedCall {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return { error: 'The body must be JSON', field: undefined }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { error: 'The body must be a JSON object', field: undefined }
  }
  const given = new Map<string, unknown>(Object.entries(value))
  for (const [field, { holds, form }] of Object.entries(FIELDS)) {
    if (!holds(given.get(field))) return { error: `${field} must be ${form}`, field }
  }
  for (const field of given.keys()) {
    if (!(field in FIELDS)) return { error: `${field} is not a field of this request`, field }
  }
  const { sessionId, merkleRoot, manifestCid, chunkCount, groupIds } = value as AnchorCall
  return { call: { sessionId, merkleRoot, manifestCid, chunkCount, groupIds } }
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value < 2 ** 32
}

function isGroupList(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_GROUPS) return false
  return value.every(isGroupId) && new Set(value).size === value.length
}

/** RFC draft idempotency-key-header: any printable text that is not absurdly long. */
export const isIdempotencyKey = (value: unknown): value is string =>
  typeof value === 'string' && /^[\x21-\x7e]{1,255}$/.test(value)
