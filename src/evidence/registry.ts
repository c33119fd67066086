import { HoldfastError } from '../protocol/errors.ts'
import { isSha256Hex, type GroupId, type SessionId, type Sha256Hex } from '../protocol/ids.ts'
import { fromHex } from './bytes.ts'

/** What the registry contract holds of a session. */
export interface RegistryRecord {
  /** First writer of the session and its only one since: `0x` and 40 lower-case hex digits. */
  readonly creator: string
  readonly merkleRoot: Sha256Hex
  /** As the creator wrote it: check it before use. */
  readonly manifestCid: string
  readonly chunkCount: number
  /** When it was registered, by the block's clock of whole seconds; ms since the epoch. */
  readonly createdAtMs: number
  /** When it was written last, by the same clock. */
  readonly updatedAtMs: number
}

// First four bytes of keccak256 over the signature (Solidity ABI specification, "Function Selector").
const SESSIONS = '0x7dbd2832' // sessions(bytes32)
const IS_CONTENT_IN_GROUP = '0xed447d0a' // isContentInGroup(bytes32,bytes32)

const WORD = 64 // hex digits

const digitsOfId = (id: SessionId) => id.replaceAll('-', '').padEnd(WORD, '0')

/** The session id as the chain writes it: its 16 bytes, then 16 zero bytes; `0x` and 64 hex digits. */
export const sessionIdToBytes32 = (id: SessionId): `0x${string}` => `0x${digitsOfId(id)}`

/** Call data that reads a session's record: `sessions(bytes32)`. */
export const encodeSessionsCall = (id: SessionId): `0x${string}` => `${SESSIONS}${digitsOfId(id)}`

/** Call data that asks whether a session is bound to a group: `isContentInGroup(bytes32,bytes32)`. */
export const encodeInGroupCall = (id: SessionId, groupId: GroupId): `0x${string}` =>
  `${IS_CONTENT_IN_GROUP}${digitsOfId(id)}${groupId.slice(2)}`

const malformed = (what: string) =>
  new HoldfastError('bad-answer', `The registry's answer is malformed: ${what}`)

function digitsOf(hex: string): string {
  if (hex === '0x') throw malformed('it is empty, as where no contract is at this address')
  if (!hex.startsWith('0x') || hex.length % WORD !== 2 || /[^0-9a-f]/i.test(hex.slice(2))) {
    throw malformed('it does not consist of whole 32-byte words of hex')
  }
  return hex.slice(2).toLowerCase()
}

/** The 32-byte word at `offset`, in hex digits. */
function wordAt(digits: string, offset: number): string {
  const word = digits.slice(offset, offset + WORD)
  if (word.length !== WORD) throw malformed('it ends too early')
  return word
}

function numberAt(digits: string, offset: number, name: string): number {
  const value = Number(BigInt(`0x${wordAt(digits, offset)}`))
  if (!Number.isSafeInteger(value)) throw malformed(`${name} is beyond 2^53`)
  return value
}

function stringAt(digits: string, head: number, name: string): string {
  const start = 2 * numberAt(digits, head, `the offset of ${name}`)
  const end = start + WORD + 2 * numberAt(digits, start, `the length of ${name}`)
  if (end > digits.length) throw malformed(`${name} is longer than the answer`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(fromHex(digits.slice(start + WORD, end)))
  } catch {
    throw malformed(`${name} is not UTF-8`)
  }
}

/**
 * The record in the answer to `encodeSessionsCall` (`0x…`, Solidity ABI); undefined where nobody has
 * registered the session, which the contract tells by a zero creator.
 *
 * @throws `bad-answer` for what is no such answer, also where a number does not fit 53 bits
 */
export function decodeSessions(hex: string): RegistryRecord | undefined {
  const digits = digitsOf(hex)
  const creator = wordAt(digits, 0)
  if (!creator.startsWith('0'.repeat(24))) throw malformed('the creator is no address')
  if (/^0+$/.test(creator)) return undefined
  const merkleRoot = wordAt(digits, WORD)
  if (!isSha256Hex(merkleRoot)) throw malformed('the root is no digest')
  return {
    creator: `0x${creator.slice(24)}`,
    merkleRoot,
    manifestCid: stringAt(digits, 2 * WORD, 'the manifest CID'),
    chunkCount: numberAt(digits, 3 * WORD, 'the chunk count'),
    createdAtMs: 1_000 * numberAt(digits, 4 * WORD, 'the creation time'),
    updatedAtMs: 1_000 * numberAt(digits, 5 * WORD, 'the update time'),
  }
}

/**
 * The answer to `encodeInGroupCall`.
 *
 * @throws `bad-answer` unless it is one word of 0 or 1
 */
export function decodeInGroup(hex: string): boolean {
  const digits = digitsOf(hex)
  const value = numberAt(digits, 0, 'the flag')
  if (digits.length !== WORD || value > 1) throw malformed('it is no boolean')
  return value === 1
}
