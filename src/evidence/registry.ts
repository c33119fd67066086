import { HoldfastError } from '../protocol/errors.ts'
import type { GroupId, SessionName, Sha256Hex } from '../protocol/ids.ts'
import type { Head } from './head.ts'

// The registry of docs/evidence-format.md in the Solidity ABI, as far as it is read. All that it answers consists of
// words of 32 bytes.

/** The newest head of a session as the registry holds it. */
export interface RegistrySession {
  readonly root: Sha256Hex
  readonly page: Sha256Hex
  /** Entries in the log; rounded beyond 2^53, where no log is. */
  readonly size: number
  /** Heads that were taken, this one included. */
  readonly anchors: number
  /** The block that took the session's first head. */
  readonly firstBlock: number
  /** The block that took this one. */
  readonly blockNumber: number
  /** That block's time, of whole seconds; ms since the epoch. */
  readonly blockAtMs: number
  /** Nothing larger is ever taken. */
  readonly end: boolean
}

/** A session that is registered under a group, as whoever registered it says: check the tag. */
export interface RegistryMember {
  readonly name: SessionName
  readonly tag: Sha256Hex
}

/** A head as the registry told that it took it: it had verified key and signature, and the node may lie. */
export interface AnchoredHead extends Head {
  readonly publicKey: string
  readonly signature: string
  /** Heads of the session that were taken up to this one. */
  readonly anchors: number
  /** The block that took the one before; 0 where there was none. */
  readonly previousBlock: number
}

/** An event's log, as the Ethereum JSON-RPC tells it. */
export interface EventLog {
  readonly topics: readonly string[]
  readonly data: string
}

// First four bytes of keccak256 over the signature (Solidity ABI specification, "Function Selector").
const SESSIONS = '0x7dbd2832' // sessions(bytes32)
const COUNT_OF = '0x9f70ed81' // countOf(bytes32)
const SESSIONS_OF = '0x34401b5c' // sessionsOf(bytes32,uint256,uint256)

/** First topic of an `Anchored` event; the second is `topicOf` the session's name. */
export const ANCHORED = '0x5bcd5e65786b98613c579e00ef0803fad03f503491e5ee6e0625f21ee9ffe6eb'

/** A number as a word: 64 hex digits. */
export const wordOf = (value: number): string => value.toString(16).padStart(64, '0')

/** Topic that a name is in an event. */
export const topicOf = (name: SessionName): string => `0x${name}`

/** Call data that reads a session's newest head. */
export const encodeSessionsCall = (name: SessionName): string => SESSIONS + name

/** Call data that asks how many sessions are registered under a group. */
export const encodeCountOfCall = (groupId: GroupId): string => COUNT_OF + groupId.slice(2)

/**
 * Call data that reads sessions of a group, oldest first.
 *
 * @param from how many of the oldest to leave out
 * @param count how many to tell at most
 */
export const encodeSessionsOfCall = (groupId: GroupId, from: number, count: number): string =>
  SESSIONS_OF + groupId.slice(2) + wordOf(from) + wordOf(count)

/**
 * The answer to `encodeSessionsCall`; undefined where nobody has brought a head of the session.
 *
 * @throws `bad-answer` for what is no such answer, also where a number but the size is beyond 2^53, or the time beyond 2^40
 */
export function decodeSession(hex: string): RegistrySession | undefined {
  const [root, page, entries, ...words] = wordsIn(hex)
  const [anchors, firstBlock, blockNumber, time, end] = words.map(numberIn)
  // A `Date` goes further than the registry's 40 bits of seconds.
  check(words.length === 5 && time! < 2 ** 40)
  const size = sizeIn(entries)
  if (size === 0) return undefined
  const blockAtMs = 1_000 * time!
  return { root, page, size, anchors, firstBlock, blockNumber, blockAtMs, end: !!end } as RegistrySession
}

/**
 * The answer to `encodeCountOfCall`.
 *
 * @throws `bad-answer` unless it is one number below 2^53
 */
export function decodeCountOf(hex: string): number {
  const [count, ...others] = wordsIn(hex)
  check(others.length === 0)
  return numberIn(count)
}

/**
 * The answer to `encodeSessionsOfCall`.
 *
 * @throws `bad-answer` for what is no such answer
 */
export function decodeSessionsOf(hex: string): readonly RegistryMember[] {
  const [offset, length, ...rest] = wordsIn(hex)
  check(numberIn(offset) === 32 && 2 * numberIn(length) === rest.length)
  return Array.from({ length: rest.length / 2 }, (_, at) => ({
    name: rest[2 * at] as SessionName,
    tag: rest[2 * at + 1] as Sha256Hex,
  }))
}

/**
 * What the data of an `Anchored` event say of the head that was taken, but who signed it and what page came before.
 *
 * @throws `bad-answer` for what are no such data
 */
export function decodeTaken(data: string) {
  const [size, root, page, , groups, end, ...others] = wordsIn(data)
  check(others.length === 6)
  return {
    size: sizeIn(size),
    root: root as Sha256Hex,
    page: page as Sha256Hex,
    groups: groups as Sha256Hex,
    end: numberIn(end) === 1,
    previousBlock: numberIn(others[5]),
  }
}

/**
 * The head in an `Anchored` event.
 *
 * @throws `bad-answer` for what is no such event
 */
export function decodeAnchored({ topics, data }: EventLog): AnchoredHead {
  const [name, ...none] = wordsIn(topics[1] ?? '0x')
  const [, , , previous, , , x, y, r, s, anchors] = wordsIn(data)
  check(topics[0] === ANCHORED && topics.length === 2 && none.length === 0)
  return {
    ...decodeTaken(data),
    name: name as SessionName,
    previous: previous === wordOf(0) ? null : (previous as Sha256Hex),
    publicKey: `${x}${y}`,
    signature: `${r}${s}`,
    anchors: numberIn(anchors),
  }
}

/** Hex digits of each word of 32 bytes, lower-case. */
function wordsIn(hex: string): readonly string[] {
  check(/^0x([0-9a-f]{64})+$/i.test(hex))
  return hex.slice(2).toLowerCase().match(/.{64}/g)!
}

const numberIn = (word = ''): number => quantity(`0x${word}`)

/**
 * A number in hexadecimal, in a string, as contracts and nodes (EIP-1474) tell it.
 *
 * @throws `bad-answer` for anything else, also beyond 2^53
 */
export function quantity(told: unknown): number {
  const value = typeof told === 'string' && told.startsWith('0x') ? Number(told) : NaN
  check(Number.isSafeInteger(value))
  return value
}

/** Whoever has a session's key can sign any size; beyond 2^53, where no log is, it is rounded. */
const sizeIn = (word = ''): number => Number(`0x${word}`)

function check(holds: boolean): asserts holds {
  if (!holds) throw new HoldfastError('bad-answer', 'The answer is malformed.')
}
