import type { SignedHead } from '../evidence/head.ts'
import type { RegistrySession } from '../evidence/registry.ts'
import type { SessionName } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import {
  askEvents,
  isUnbroken,
  judgeOfEvents,
  readEvents,
  readFirstEvents,
  type Event,
  type JudgedEvent,
} from './head-events.ts'
import { inParallel } from './in-parallel.ts'
import { newestBlock, readRegistered, timeOfBlock } from './registered.ts'
import type { Limits } from './request.ts'
import { badAnswer, type Chain } from './rpc.ts'

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

/**
 * So many heads of a session are followed, the first: one each 5 s for almost four days. Whoever has the key can sign any
 * number, and a node can tell of them without end.
 */
export const MAX_HEADS = 65_536
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
 * @param maxHeads how many are followed
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
      const { events, refusal } = await askEvents(chain, name, firstBlock, firstBlock, limits)
      if (refusal) throw refusal
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
