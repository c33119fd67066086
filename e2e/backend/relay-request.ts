import { isGroupId, isSessionName, isSha256Hex } from '../../src/protocol/ids.ts'
import type { AnchorRequest, SignedHead } from '../../sw/ports/anchor.ts'

export type ParsedCall =
  { readonly call: AnchorRequest } | { readonly error: string; readonly field: string | undefined }

type Group = AnchorRequest['groups'][number]
type Body = SignedHead & { readonly members: readonly Group[] }

/** As many as the registry takes. */
const MAX_GROUPS = 16

const DIGEST = '64 lower-case hex digits'
const POINT = '128 lower-case hex digits'
const FIELDS: Record<keyof Body, { holds: (value: unknown) => boolean; form: string }> = {
  name: { holds: isSessionName, form: DIGEST },
  size: { holds: isCount, form: 'an integer from 1, below 2^53' },
  root: { holds: isSha256Hex, form: DIGEST },
  page: { holds: isSha256Hex, form: DIGEST },
  previous: { holds: (value) => value === null || isSha256Hex(value), form: `null, or ${DIGEST}` },
  groups: { holds: isSha256Hex, form: DIGEST },
  end: { holds: (value) => typeof value === 'boolean', form: 'true or false' },
  publicKey: { holds: isPairOfWords, form: POINT },
  signature: { holds: isPairOfWords, form: POINT },
  members: {
    holds: isGroupList,
    form: `1 to ${MAX_GROUPS} of { id: 0x and ${DIGEST}, tag: ${DIGEST} }`,
  },
}

/** The head in a request's body with its groups, or the first field that is wrong. Signatures are not looked at. */
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
  const { members, ...head } = value as Body
  return { call: { head, groups: members.map(({ id, tag }) => ({ id, tag })) } }
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 1
}

function isPairOfWords(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{128}$/.test(value)
}

function isGroupList(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_GROUPS) return false
  return value.every(
    (group: unknown) =>
      typeof group === 'object' &&
      group !== null &&
      'id' in group &&
      isGroupId(group.id) &&
      'tag' in group &&
      isSha256Hex(group.tag),
  )
}

/** RFC draft idempotency-key-header: any printable text that is not absurdly long. */
export const isIdempotencyKey = (value: unknown): value is string =>
  typeof value === 'string' && /^[\x21-\x7e]{1,255}$/.test(value)
