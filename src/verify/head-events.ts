import { isSignedBy, verifyingKeyOf, type SignedHead } from '../evidence/head.ts'
import {
  ANCHORED,
  decodeAnchored,
  topicOf,
  type AnchoredHead,
  type RegistrySession,
} from '../evidence/registry.ts'
import type { SessionName } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import { inParallel } from './in-parallel.ts'
import { isBeyond } from './contradictions.ts'
import { pauses } from './pauses.ts'
import { decoded } from './registered.ts'
import type { Limits } from './request.ts'
import { ask, badAnswer, fieldsOf, numberOf, quantity, type Chain } from './rpc.ts'

/** The registry takes none that is not signed: a node that makes up more than some could go on for ever. */
const MAX_UNSIGNED = 1_000
/** So many answers without a head are heard between two of them. */
const MAX_IN_VAIN = 200

export interface Event extends AnchoredHead {
  readonly blockNumber: number
  readonly logIndex: number
  /** The time of its block, where the node tells it with the log: one question less. */
  readonly timeMs: number | undefined
}

export interface JudgedEvent extends Event {
  readonly isSigned: boolean
}

/** Says whether heads of one session are signed by its key, which is looked at once. */
export function judgeOfEvents() {
  const keys = new Map<string, ReturnType<typeof verifyingKeyOf>>()
  const isSigned = async ({ publicKey, signature, ...head }: SignedHead): Promise<boolean> => {
    if (isBeyond(head)) return false
    const key = keys.get(publicKey) ?? verifyingKeyOf(head.name, publicKey)
    keys.set(publicKey, key)
    return isSignedBy(await key, head, signature)
  }
  return async (events: readonly Event[]): Promise<JudgedEvent[]> => {
    const pause = pauses()
    return inParallel(events, async (event) => {
      await pause()
      return { ...event, isSigned: await isSigned(event) }
    })
  }
}

/** The events of the blocks from one to another, both included, in order; none where the node will not tell them, and why. */
export async function askEvents(
  chain: Chain,
  name: SessionName,
  from: number,
  to: number,
  limits: Limits,
): Promise<{ readonly events: readonly Event[]; readonly refusal?: VerificationError }> {
  const filter = {
    address: chain.registry,
    topics: [ANCHORED, topicOf(name)],
    fromBlock: quantity(from),
    toBlock: quantity(to),
  }
  const answer = await ask(chain, 'eth_getLogs', [filter], limits)
  if (answer.kind === 'refused') return { events: [], refusal: answer.error }
  return { events: await eventsIn(chain, name, answer.result, from, to) }
}

/**
 * The events, oldest first, asked for from the newest block backwards. Each tells the block of the one before, so that
 * nothing is asked of blocks without one, and none can be kept back. What a node refuses, or answers in part, is asked
 * of half as many blocks.
 */
export async function readEvents(
  chain: Chain,
  name: SessionName,
  session: RegistrySession,
  judge: (events: readonly Event[]) => Promise<JudgedEvent[]>,
  limits: Limits,
): Promise<readonly JudgedEvent[]> {
  const parts: JudgedEvent[][] = []
  const checkSigned = boundOfUnsigned(chain)
  let to = session.blockNumber
  let span = session.blockNumber - session.firstBlock + 1
  let anchors = session.anchors
  while (anchors > 0) {
    const from = Math.max(session.firstBlock, to - span + 1)
    const { events: part, refusal } = await askEvents(chain, name, from, to, limits)
    const oldest = part[0]
    if (oldest && isUnbroken(part, anchors, to) && oldest.previousBlock < from) {
      const judged = await judge(part)
      parts.unshift(judged)
      checkSigned(judged)
      anchors = oldest.anchors - 1
      to = oldest.previousBlock
      if (anchors > 0 && to < session.firstBlock)
        throw badAnswer(chain, `a head should come from block ${session.firstBlock} on, found ${to}`)
    } else if (from < to) {
      span = Math.ceil((to - from + 1) / 2)
    } else {
      if (refusal) throw refusal
      throw withheld(anchors, to)
    }
  }
  return parts.flat()
}

const withheld = (anchors: number, block: number) =>
  new VerificationError(
    'heads-withheld',
    'reading the registry',
    `The chain's node should tell of head ${anchors} in block ${block}, as the registry says; it does not`,
  )

/** Counts what is not signed. */
function boundOfUnsigned(chain: Chain) {
  let unsigned = 0
  return (judged: readonly JudgedEvent[]): void => {
    unsigned += judged.filter(({ isSigned }) => !isSigned).length
    if (unsigned > MAX_UNSIGNED)
      throw badAnswer(chain, `a registry takes signed heads alone, and ${unsigned} of these are not`)
  }
}

/**
 * The first of more events than are followed, oldest first, asked for from the first block on: what was anchored first
 * stands, however much comes after it.
 */
export async function readFirstEvents(
  chain: Chain,
  name: SessionName,
  session: RegistrySession,
  judge: (events: readonly Event[]) => Promise<JudgedEvent[]>,
  limits: Limits,
  maxHeads: number,
): Promise<readonly JudgedEvent[]> {
  const events: JudgedEvent[] = []
  const checkSigned = boundOfUnsigned(chain)
  let from = session.firstBlock
  let span = session.blockNumber - from + 1
  let inVain = 0
  while (events.length < maxHeads) {
    if (from > session.blockNumber || inVain > MAX_IN_VAIN) throw withheld(events.length + 1, from)
    const to = Math.min(session.blockNumber, from + span - 1)
    const { events: part, refusal } = await askEvents(chain, name, from, to, limits)
    const last = events.at(-1)
    const newest = part.at(-1)
    if (
      newest &&
      isUnbroken([...(last ? [last] : []), ...part], events.length + part.length, newest.blockNumber)
    ) {
      const judged = await judge(part)
      checkSigned(judged)
      for (const event of judged) events.push(event)
      from = newest.blockNumber + 1
      inVain = 0
    } else if (!refusal && !newest) {
      from = to + 1
      span *= 2
      inVain += 1
    } else if (from < to) {
      span = Math.ceil((to - from + 1) / 2)
    } else {
      if (refusal) throw refusal
      throw withheld(events.length + 1, from)
    }
  }
  return events.slice(0, maxHeads)
}

/** Whether these events end with this one, in this block, and each follows the one before. */
export const isUnbroken = (events: readonly Event[], anchors: number, lastBlock: number) =>
  events.at(-1)?.anchors === anchors &&
  events.at(-1)?.blockNumber === lastBlock &&
  events.every((event, at) => {
    const before = events[at - 1]
    return (
      before === undefined ||
      (event.anchors === before.anchors + 1 && event.previousBlock === before.blockNumber)
    )
  })

/** Untrusted logs, put in order: each of this registry and session, and from these blocks. */
async function eventsIn(
  chain: Chain,
  name: SessionName,
  result: unknown,
  from: number,
  to: number,
): Promise<Event[]> {
  if (!Array.isArray(result)) throw badAnswer(chain, 'eth_getLogs should give a list')
  const pause = pauses()
  const events: Event[] = []
  for (const log of result as unknown[]) {
    await pause()
    const fields = fieldsOf(chain, log, 'a log')
    const { address, topics, data, blockNumber, blockTimestamp, logIndex, removed } = fields
    // A reorganisation took it back; some nodes tell of it all the same (filecoin-project/lotus#12584).
    if (removed === true) continue
    if (typeof address !== 'string' || address.toLowerCase() !== chain.registry.toLowerCase())
      throw badAnswer(chain, 'eth_getLogs should give logs of the registry alone')
    if (!Array.isArray(topics) || typeof data !== 'string')
      throw badAnswer(chain, 'a log has topics and data')
    const block = numberOf(chain, blockNumber, 'the block of a log')
    if (block < from || block > to)
      throw badAnswer(chain, `a log should be of the blocks ${from} to ${to}, found ${block}`)
    const event = decoded(chain, () =>
      decodeAnchored({ topics: topics.map((topic) => String(topic).toLowerCase()), data }),
    )
    if (event.name !== name) throw badAnswer(chain, `a log should be of ${name}, found ${event.name}`)
    // Some nodes that know the field write zero or nothing into it (go-ethereum#32334): the block is asked then.
    const isTold = typeof blockTimestamp === 'string' && Number(blockTimestamp) !== 0
    events.push({
      ...event,
      blockNumber: block,
      logIndex: numberOf(chain, logIndex, 'the index of a log'),
      timeMs: isTold ? 1_000 * numberOf(chain, blockTimestamp, 'the time of a log') : undefined,
    })
  }
  return events.sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex)
}
