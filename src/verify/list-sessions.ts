import { groupIdOf, groupTag } from '../evidence/group-key.ts'
import { toHex } from '../evidence/bytes.ts'
import {
  decodeCountOf,
  decodeSessionsOf,
  encodeCountOfCall,
  encodeSessionsOfCall,
} from '../evidence/registry.ts'
import { x25519 } from '../evidence/x25519-pick.ts'
import { publicKeyOf } from '../evidence/x25519.ts'
import { isSha256Hex, type SessionName } from '../protocol/ids.ts'
import { inParallel } from './in-parallel.ts'
import { agreed } from './agreed.ts'
import { checkChains, checkObject, checkPrivateKey, refuse, type ChainNodes } from './options.ts'
import { decoded, readRegistered, timeOfBlock } from './registered.ts'
import type { Limits } from './request.ts'
import { ask, badAnswer, quantity, resultOf, type Chain } from './rpc.ts'

/** Either key of a group: the public one tells which recordings are its own, the private one opens them too. */
export type GroupKey = { readonly publicKey: string } | { readonly privateKey: Uint8Array }

/** Where a page of the list begins. */
export interface SessionCursor {
  /** So many of the group's members are older than those that were told. */
  readonly before: number
  /** The block that the page is read at; left out: the newest. Nodes forget old ones. */
  readonly blockNumber?: number | undefined
}

export interface ListSessionsOptions {
  readonly chain: Chain | ChainNodes
  /**
   * So many nodes must tell the same page, from 1 to their number; 2 unless told otherwise, where several are named. A
   * node alone could keep sessions back.
   */
  readonly agree?: number | undefined
  /** `publicKey` in 64 lower-case hex digits, or `privateKey` in 32 bytes. */
  readonly group: GroupKey
  /** Sessions in a page at most, from 1; 50 unless told otherwise. Where strangers have registered 20,000 in a row there are fewer, and `next`. */
  readonly limit?: number | undefined
  /** `next` of the page before; left out: the newest. */
  readonly after?: SessionCursor | undefined
  /** Ends it, with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Longest silence of the node, in ms; 30 000 unless told otherwise. */
  readonly timeoutMs?: number | undefined
}

/** A session of the group as the registry holds it. */
export interface ListedSession {
  /** What `openSession` takes. */
  readonly name: SessionName
  /** Ended whole: nothing follows. Else it is being recorded, or was interrupted: its log tells (`openSession`). */
  readonly ended: boolean
  /** Entries in its log. */
  readonly size: number
  /** When the chain took its first head, and its newest one: ms since the epoch, in whole seconds. */
  readonly firstAnchoredAtMs: number
  readonly lastAnchoredAtMs: number
  /** The block that took the newest one. */
  readonly blockNumber: number
}

/** Some sessions of a group, newest first, each once, all as one block has them. */
export interface SessionPage {
  readonly blockNumber: number
  readonly sessions: readonly ListedSession[]
  /** Members that were met on the way and whose tag does not hold: strangers registered them. */
  readonly strangers: number
  /** Where the next page begins; left out after the oldest. */
  readonly next?: SessionCursor
}

/** Members asked for at a time: some ten million gas, which any node allows a call. */
const SPAN = 2_000
/** So many are looked at for a page: those of strangers, or that a node makes up, need have no end. */
const MEMBERS_OF_PAGE = 20_000
const DEFAULT_LIMIT = 50

/**
 * The recordings of a group, by its key alone: newest first, in the order in which the registry took their first heads,
 * those that are being recorded among them. Of several nodes enough must tell the same. Whoever does not know the public key cannot be in it; nothing is asked of
 * a gateway, nor about a member whose tag does not hold.
 *
 * @throws VerificationError with `bad-input`, `chain-unreachable` or `chain-answer`; the signal's reason when the caller
 *   aborts
 */
export async function listSessions(options: ListSessionsOptions): Promise<SessionPage> {
  checkObject(options)
  const { limit = DEFAULT_LIMIT, after, signal } = options
  const { chains, timeoutMs } = checkChains(options.chain, options.timeoutMs)
  const { agree = Math.min(2, chains.length) } = options
  if (!(Number.isSafeInteger(agree) && agree >= 1 && agree <= chains.length))
    refuse('agree', `an integer from 1 to ${chains.length}`)
  if (!(Number.isSafeInteger(limit) && limit >= 1)) refuse('limit', 'an integer from 1')
  for (const number of after === undefined ? [] : [after?.before, after?.blockNumber ?? 0])
    if (!(Number.isSafeInteger(number) && number >= 0)) refuse('after', 'the next of a page')
  const publicKey = await publicKeyIn(options.group)
  return agreed(chains, agree, after?.blockNumber, { timeoutMs, signal }, (chain, block, limits) =>
    pageOf({ chain, publicKey, block, limits }, limit, after?.before),
  )
}

/** A page as one node tells it. */
async function pageOf(group: Registered, limit: number, place: number | undefined): Promise<SessionPage> {
  const { chain, block, limits } = group
  const members = await membersBefore(group, limit, place)
  const firstTimes = new Map<number, Promise<number>>()
  const sessions = await inParallel(members.names, async (name): Promise<ListedSession> => {
    const session = await readRegistered(chain, name, block, limits)
    if (session === undefined) throw badAnswer(chain, `it should know ${name}, which is a member`)
    const { end, size, firstBlock, blockNumber, blockAtMs } = session
    const first = firstTimes.get(firstBlock) ?? timeOfBlock(chain, firstBlock, limits)
    firstTimes.set(firstBlock, first)
    const firstAtMs = await first
    if (firstAtMs > blockAtMs) throw badAnswer(chain, 'the times of its blocks should rise')
    return {
      name,
      ended: end,
      size,
      firstAnchoredAtMs: firstAtMs,
      lastAnchoredAtMs: blockAtMs,
      blockNumber,
    }
  })
  const { strangers, before } = members
  return {
    blockNumber: block,
    sessions,
    strangers,
    ...(before > 0 && { next: { before, blockNumber: block } }),
  }
}

async function publicKeyIn(group: GroupKey): Promise<string> {
  if (typeof group === 'object' && group && 'publicKey' in group)
    return isSha256Hex(group.publicKey)
      ? group.publicKey
      : refuse('group.publicKey', '64 lower-case hex digits')
  checkPrivateKey(group?.privateKey, 'group.privateKey')
  return toHex(await publicKeyOf(Uint8Array.from(group.privateKey), await x25519()))
}

interface Registered {
  readonly chain: Chain
  readonly publicKey: string
  readonly block: number
  readonly limits: Limits
}

/**
 * Names of members whose tag holds, newest first: at most `limit` of those before a place, as far as they are looked at.
 *
 * @returns also how many are older than the last one that was looked at
 */
async function membersBefore(group: Registered, limit: number, place = Infinity) {
  const { chain, publicKey, block, limits } = group
  const id = await groupIdOf(publicKey)
  const call = (data: string) => [{ to: chain.registry, data }, quantity(block)]
  const counted = await resultOf(chain, 'eth_call', call(encodeCountOfCall(id)), limits)
  let before = Math.min(
    place,
    decoded(chain, () => decodeCountOf(String(counted))),
  )
  const last = Math.max(0, before - MEMBERS_OF_PAGE)
  const names = new Set<SessionName>()
  let strangers = 0
  let span = SPAN
  while (before > last && names.size < limit) {
    const count = Math.min(span, before - last)
    const answer = await ask(chain, 'eth_call', call(encodeSessionsOfCall(id, before - count, count)), limits)
    if (answer.kind === 'refused') {
      // More than the node does for one call, maybe.
      if (count === 1) throw answer.error
      span = Math.ceil(count / 2)
      continue
    }
    const members = decoded(chain, () => decodeSessionsOf(String(answer.result)))
    if (members.length !== count)
      throw badAnswer(chain, `it should tell of ${count} members, found ${members.length}`)
    for (let at = count - 1; at >= 0 && names.size < limit; at--) {
      const { name, tag } = members[at]!
      if (tag === (await groupTag(publicKey, name))) names.add(name)
      else strangers += 1
      before -= 1
    }
  }
  return { names: [...names], strangers, before }
}
