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
import { isBeyond } from './log.ts'
import { pauses } from './pauses.ts'
import { decoded, newestBlock, readRegistered, timeOfBlock } from './registered.ts'
import type { Limits } from './request.ts'
import { ask, badAnswer, fieldsOf, numberOf, quantity, resultOf, type Chain } from './rpc.ts'

/** A signed head, and who has witnessed it. */
export interface FoundHead {
  readonly head: SignedHead
  /** The block in which the registry took it; undefined where nobody is asked but the store. */
  readonly blockNumber: number | undefined
  /** That block's time: ms since the epoch, in whole seconds. */
  readonly timeMs: number | undefined
  /** By the key that the session's name names. */
  readonly isSigned: boolean
  /** What others say of it that is not the same. */
  readonly disputed?: readonly Telling[]
}

/** A head that the registry took. */
export interface WitnessedHead extends FoundHead {
  readonly blockNumber: number
  readonly timeMs: number
}

/** Who else tells of a head, and where it is by their word. */
export interface Telling {
  /** A node's host, or `an earlier reading`. */
  readonly by: string
  readonly blockNumber: number
  readonly timeMs: number
}

/** So many blocks the machines behind a node's name may be apart: one that is behind lacks what another has told of. */
export const BEHIND = 3

/** The registry takes none that is not signed: a node that makes up more than some could go on for ever. */
const MAX_UNSIGNED = 1_000

/**
 * So many heads of a session are followed, the first: one each 5 s for almost four days. Whoever has the key can sign any
 * number, and a node can tell of them without end.
 */
export const MAX_HEADS = 65_536
/** So many answers without a head are heard between two of them. */
const MAX_IN_VAIN = 200

interface Event extends AnchoredHead {
  readonly blockNumber: number
  readonly logIndex: number
  /** The time of its block, where the node tells it with the log: one question less. */
  readonly timeMs: number | undefined
}

interface JudgedEvent extends Event {
  readonly isSigned: boolean
}

/** What a node tells of a session's heads. */
export interface HeadsAtNode {
  /**
   * Those in the block that took the first one, in order: nothing comes before them, whatever else is told. Undefined
   * where all are in it, or there is none.
   *
   * @returns also how many entries the newest head of all signs for
   * @throws VerificationError with `chain-unreachable` or `chain-answer`
   */
  first(): Promise<{ readonly heads: readonly WitnessedHead[]; readonly size: number } | undefined>
  /**
   * All that the registry took by one block, in order.
   *
   * @returns also that block
   * @throws VerificationError with `chain-unreachable`, `chain-answer`, `not-registered` or `heads-withheld`
   */
  all(): Promise<HeadsOfAll>
}

/** The heads that are followed. */
export interface HeadsOfAll {
  readonly heads: readonly WitnessedHead[]
  readonly block: number
  /** What comes after them, where they are not all. */
  readonly beyond?: HeadsBeyond
}

/** Heads that are not looked at. */
export interface HeadsBeyond {
  /** Of all heads, those that are followed included. */
  readonly count: number
  /** The last of them, as the registry holds it. */
  readonly newest: RegistrySession
}

/**
 * Nothing is asked before it is wanted.
 *
 * @param maxHeads so many are followed
 */
export function headsAt(
  chain: Chain,
  name: SessionName,
  limits: Limits,
  maxHeads: number = MAX_HEADS,
): HeadsAtNode {
  const judge = judgeOfEvents()
  let asked: Promise<Registered> | undefined
  const registered = () => (asked ??= registeredNow(chain, name, limits))
  const witnessed = (events: readonly JudgedEvent[], timeOf: (block: number) => number) =>
    events.map(({ blockNumber, timeMs: _timeMs, isSigned, ...head }): WitnessedHead => ({
      head,
      blockNumber,
      timeMs: timeOf(blockNumber),
      isSigned,
    }))
  return {
    async first() {
      // Meanwhile, for who wants all of them.
      registered().catch(() => {})
      const session = await readRegistered(chain, name, 'latest', limits)
      if (session === undefined || session.firstBlock === session.blockNumber) return undefined
      const { firstBlock, blockAtMs, size } = session
      const filter = eventsFilter(chain, name, firstBlock, firstBlock)
      const result = await resultOf(chain, 'eth_getLogs', [filter], limits)
      const events = await eventsIn(chain, name, result, firstBlock, firstBlock)
      if (events[0]?.previousBlock !== 0 || !isUnbroken(events, events.length, firstBlock))
        throw badAnswer(chain, `its first head should be in block ${firstBlock}, as the registry says`)
      const timeMs = events[0].timeMs ?? (await timeOfBlock(chain, firstBlock, limits))
      if (timeMs > blockAtMs) throw badAnswer(chain, 'the times of its blocks should rise')
      return { heads: witnessed(await judge(events), () => timeMs), size }
    },
    async all() {
      const newest = await registered()
      return allOf(newest).catch(async (error: unknown) => {
        const older = newest.block - BEHIND
        const isNew = older > 0 && newest.session.blockNumber > older
        if (!isNew || !(error instanceof VerificationError)) throw error
        // One that is behind says of events in blocks that it lacks that there are none (ethereum/execution-apis#534).
        return allOf(await registeredAt(chain, name, older, limits))
      })
    },
  }

  async function allOf({ session, block }: Registered): Promise<HeadsOfAll> {
    const isAll = session.anchors <= maxHeads
    const events = isAll
      ? await readEvents(chain, name, session, judge, limits)
      : await readFirstEvents(chain, name, session, judge, limits, maxHeads)
    checkRising(chain, events, session)
    if (isAll) checkNewest(chain, events, session)
    const times = await readTimes(chain, events, session, limits)
    const heads = witnessed(events, (number) => times.get(number)!)
    return { heads, block, ...(!isAll && { beyond: { count: session.anchors, newest: session } }) }
  }
}

/** What the registry held of a session at a block. */
interface Registered {
  readonly session: RegistrySession
  readonly block: number
}

/** One block for all that is asked: a head that is taken meanwhile is in none of the answers. */
async function registeredNow(chain: Chain, name: SessionName, limits: Limits): Promise<Registered> {
  const newest = await newestBlock(chain, limits)
  return registeredAt(chain, name, newest, limits).catch((error: unknown) => {
    const isUnheard = error instanceof VerificationError && error.class === 'transient'
    if (!isUnheard || newest <= BEHIND) throw error
    return registeredAt(chain, name, newest - BEHIND, limits)
  })
}

async function registeredAt(
  chain: Chain,
  name: SessionName,
  block: number,
  limits: Limits,
): Promise<Registered> {
  const session = await readRegistered(chain, name, block, limits)
  if (session !== undefined) return { session, block }
  const what = `The registry ${chain.registry} knows no session ${name}`
  throw new VerificationError('not-registered', 'reading the registry', what)
}

/** Says whether heads of one session are signed by its key, which is looked at once. */
function judgeOfEvents() {
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

const eventsFilter = (chain: Chain, name: SessionName, from: number, to: number) => ({
  address: chain.registry,
  topics: [ANCHORED, topicOf(name)],
  fromBlock: quantity(from),
  toBlock: quantity(to),
})

/**
 * The events, oldest first, asked for from the newest block backwards. Each tells the block of the one before, so that
 * nothing is asked of blocks without one, and none can be kept back. What a node refuses, or answers in part, is asked
 * of half as many blocks.
 */
async function readEvents(
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
    const answer = await ask(chain, 'eth_getLogs', [eventsFilter(chain, name, from, to)], limits)
    const part = answer.kind === 'result' ? await eventsIn(chain, name, answer.result, from, to) : []
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
    } else if (answer.kind === 'refused') {
      throw answer.error
    } else {
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
async function readFirstEvents(
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
    const answer = await ask(chain, 'eth_getLogs', [eventsFilter(chain, name, from, to)], limits)
    const part = answer.kind === 'result' ? await eventsIn(chain, name, answer.result, from, to) : []
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
    } else if (answer.kind === 'result' && !newest) {
      from = to + 1
      span *= 2
      inVain += 1
    } else if (from < to) {
      span = Math.ceil((to - from + 1) / 2)
    } else if (answer.kind === 'refused') {
      throw answer.error
    } else {
      throw withheld(events.length + 1, from)
    }
  }
  return events.slice(0, maxHeads)
}

/** Whether these events end with this one, in this block, and each follows the one before. */
const isUnbroken = (events: readonly Event[], anchors: number, lastBlock: number) =>
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

/** The registry holds what the newest event says. */
function checkNewest(chain: Chain, events: readonly Event[], session: RegistrySession): void {
  const newest = events.at(-1)
  const isSame =
    newest?.size === session.size &&
    newest.root === session.root &&
    newest.page === session.page &&
    newest.end === session.end
  if (!isSame) throw badAnswer(chain, 'its events should end with the head that the registry holds')
}

/** It takes only what is larger, and nothing after an end. */
function checkRising(chain: Chain, events: readonly Event[], session: RegistrySession): void {
  if (events[0]?.blockNumber !== session.firstBlock || events[0].previousBlock !== 0)
    throw badAnswer(chain, `its first head should be in block ${session.firstBlock}, as the registry says`)
  if (events[0].size === 0) throw badAnswer(chain, 'a registry takes no head without an entry')
  for (const [at, { size, end }] of events.entries()) {
    const next = events[at + 1]
    // Beyond 2^53 a size is rounded, so that two of them may look alike.
    const isLarger = !next || next.size > size || (next.size === size && !Number.isSafeInteger(size))
    if (!isLarger || (next && end))
      throw badAnswer(chain, 'a registry takes only larger heads, none after an end')
  }
}

/** The time of each block that took a head, in ms. */
async function readTimes(
  chain: Chain,
  events: readonly Event[],
  session: RegistrySession,
  limits: Limits,
): Promise<ReadonlyMap<number, number>> {
  const told = new Map(events.map((event) => [event.blockNumber, event.timeMs]))
  const blocks = [...told.keys()]
  const times = await inParallel(blocks, async (number) => {
    const timeMs = told.get(number)
    if (timeMs !== undefined) return timeMs
    return timeOfBlock(chain, number, limits)
  })
  const inOrder = times.every((timeMs, at) => at === 0 || timeMs >= times[at - 1]!)
  const newestMs = times.at(-1)!
  const isLast = blocks.at(-1) === session.blockNumber
  if (!inOrder || newestMs > session.blockAtMs || (isLast && newestMs < session.blockAtMs))
    throw badAnswer(chain, 'the times of its blocks should rise to the one that the registry holds')
  return new Map(blocks.map((number, at) => [number, times[at]!]))
}
