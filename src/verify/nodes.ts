import { following } from '../protocol/following.ts'
import { isSha256Hex, type SessionName, type Sha256Hex } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import { followersOf } from './followers.ts'
import {
  BEHIND,
  headsAt,
  type HeadsAtNode,
  type HeadsBeyond,
  type Telling,
  type WitnessedHead,
} from './heads.ts'
import { inTime } from './in-time.ts'
import { mostAgreed } from './most-agreed.ts'
import type { Limits } from './request.ts'
import { badAnswer, hostOf, type Chain } from './rpc.ts'

/** A head as somebody told of it before; one that is in no block says nothing of the chain. */
export interface SeenHead {
  readonly size: number
  readonly root: Sha256Hex
  readonly blockNumber: number | undefined
  readonly timeMs: number | undefined
}

/** Whether it is one: what an app has kept may be anything. */
export function isSeenHead(value: unknown): value is SeenHead {
  if (typeof value !== 'object' || value === null) return false
  const { size, root, blockNumber, timeMs }: Partial<Record<keyof SeenHead, unknown>> = value
  const isInNone = blockNumber === undefined && timeMs === undefined
  return (
    typeof size === 'number' &&
    isSha256Hex(root) &&
    (isInNone || (typeof blockNumber === 'number' && typeof timeMs === 'number'))
  )
}

interface HeadInBlock extends SeenHead {
  readonly blockNumber: number
  readonly timeMs: number
}

const isInBlock = (head: SeenHead): head is HeadInBlock => head.blockNumber !== undefined

/** A head that was told of, and that the chain does not have as it is read now. */
export interface VanishedHead extends HeadInBlock {
  /** A node's host, or `an earlier reading`. */
  readonly by: string
}

/** What came of asking a node. */
export interface NodeReport {
  readonly host: string
  /** How many signed heads it tells of; left out where it could not be read. */
  readonly heads?: number
  /** It tells of others than the heads that are believed, not only of fewer or more: one of the nodes lies, or a block was taken back. */
  readonly contradicts?: true
  /** Why it could not be read; neither, where it took far longer than another one. */
  readonly error?: VerificationError
}

/** What the chain has of a session, by all that was asked. */
export interface History {
  readonly witnessed: readonly WitnessedHead[]
  readonly vanished: readonly VanishedHead[]
  readonly nodes: readonly NodeReport[]
  /** What comes after those, where they are not all. */
  readonly beyond: HeadsBeyond | undefined
}

/** What several nodes tell of a session's heads, asked at once. */
export interface HistoryReader {
  /**
   * The heads in the block that took the first one: whatever else is told, nothing comes before them. Undefined where
   * that says no less than all, where the nodes do not say the same, or none can be asked.
   *
   * @returns also how many entries the log has by the newest head
   */
  first(): Promise<{ readonly witnessed: readonly WitnessedHead[]; readonly size: number } | undefined>
  /**
   * All of them. What nodes say is signed, so none without the session's key can invent a head, but each can keep the
   * newest back, or name a wrong block. So of nodes that do not contradict each other the one that tells of most is
   * believed; of others those that most agree with, or the one that is named first. Where another names another block for
   * a head, the later time counts. What only others tell of, or an earlier reading did, has vanished.
   *
   * @throws VerificationError of the first node that was heard, where none can be read
   */
  all(seen: readonly SeenHead[]): Promise<History>
  /** Whoever still asks stops. */
  end(): void
}

export function historyOf(chains: readonly Chain[], name: SessionName, limits: Limits): HistoryReader {
  const ending = following(limits.signal)
  const follow = followersOf(ending.signal)
  const nodes = chains.map((chain): Node => {
    const { signal } = follow()
    return { chain, host: hostOf(chain), ...headsAt(chain, name, { ...limits, signal }) }
  })
  return {
    async first() {
      const read = await readAll(nodes, (node) => node.first(), ending.signal)
      if (read.some((one) => 'told' in one && one.told === undefined)) return undefined
      const told = read.flatMap(({ node, told }) => (told ? [{ host: node.host, ...told }] : []))
      const [one, ...others] = told
      if (!one) return undefined
      const { vanished, witnessed } = compare(one.heads, others.map(tellingOf))
      const isSame =
        others.every((other) => signedHeads(other) === signedHeads(one)) &&
        vanished.length === 0 &&
        !witnessed.some(({ disputed }) => disputed)
      return isSame ? { witnessed, size: Math.max(...told.map(({ size }) => size)) } : undefined
    },
    async all(seen) {
      const read = await readAll(nodes, (node) => node.all(), ending.signal)
      limits.signal?.throwIfAborted()
      const told = read.flatMap(({ told }) => told ?? [])
      const { best, contradicts } = mostAgreed(told)
      if (!best) throw worstOf(read)
      const tellings = read.flatMap(({ node: { host }, told }) =>
        told && told !== best ? tellingOf({ host, ...told }) : [],
      )
      // What lies a few blocks after the one that was read, it need not have yet. Nobody is so far behind as to hide more.
      const isToCome = ({ blockNumber }: HeadInBlock) =>
        blockNumber > best.block && blockNumber <= best.block + 2 * BEHIND
      const before = seen.filter(isInBlock).filter((head) => !isToCome(head))
      if (before.length > 0) tellings.push({ by: 'an earlier reading', heads: before })
      return {
        ...compare(best.heads, tellings),
        beyond: best.beyond,
        nodes: read.map(({ node: { host }, told, error }): NodeReport => {
          if (!told) return error ? { host, error } : { host }
          const heads = signedHeads(told)
          return contradicts(told) ? { host, heads, contradicts: true } : { host, heads }
        }),
      }
    },
    end: () => ending.abort(),
  }
}

interface Node extends HeadsAtNode {
  readonly chain: Chain
  readonly host: string
}

interface ReadNode<Told> {
  readonly node: Node
  readonly told?: Told
  readonly error?: VerificationError
}

interface ToldHeads {
  readonly host: string
  readonly heads: readonly WitnessedHead[]
}

const tellingOf = ({ host, heads }: ToldHeads) => ({
  by: host,
  heads: heads.filter(({ isSigned }) => isSigned).map(seenOf),
})

const signedHeads = ({ heads }: Pick<ToldHeads, 'heads'>) => heads.filter(({ isSigned }) => isSigned).length

/** What each node tells, as far as it does so in time. */
async function readAll<Told>(
  nodes: readonly Node[],
  ask: (node: Node) => Promise<Told>,
  signal: AbortSignal,
): Promise<ReadNode<Told>[]> {
  const reading = nodes.map(async (node): Promise<ReadNode<Told>> => {
    try {
      return { node, told: await ask(node) }
    } catch (error) {
      if (error instanceof VerificationError) return { node, error }
      if (signal.aborted) return { node }
      // What no node should be able to bring about is that node's answer all the same: the others are read.
      return { node, error: badAnswer(node.chain, `it cannot be read: ${String(error)}`, error) }
    }
  })
  const read = await inTime(reading, (one) => 'told' in one)
  return nodes.map((node, at) => read[at] ?? { node })
}

/** What a node that answered found wrong says more than that another one is silent. */
function worstOf(read: readonly ReadNode<unknown>[]): VerificationError {
  const errors = read.flatMap(({ error }) => (error ? [error] : []))
  return errors.find((error) => error.class !== 'transient') ?? errors[0]!
}

const seenOf = ({ head: { size, root }, blockNumber, timeMs }: WitnessedHead): HeadInBlock => ({
  size,
  root,
  blockNumber,
  timeMs,
})
const keyOf = ({ size, root }: { readonly size: number; readonly root: Sha256Hex }) => `${size} ${root}`

function compare(
  witnessed: readonly WitnessedHead[],
  tellings: readonly { readonly by: string; readonly heads: readonly HeadInBlock[] }[],
): Pick<History, 'witnessed' | 'vanished'> {
  const here = new Map(witnessed.filter(({ isSigned }) => isSigned).map((one) => [keyOf(one.head), one]))
  const disputed = new Map<WitnessedHead, Telling[]>()
  const vanished: VanishedHead[] = []
  for (const { by, heads } of tellings) {
    for (const { size, root, blockNumber, timeMs } of heads) {
      const ours = here.get(keyOf({ size, root }))
      if (!ours) vanished.push({ size, root, blockNumber, timeMs, by })
      else if (ours.blockNumber !== blockNumber || ours.timeMs !== timeMs)
        disputed.set(ours, [...(disputed.get(ours) ?? []), { by, blockNumber, timeMs }])
    }
  }
  const judged = witnessed.map((one): WitnessedHead => {
    const others = disputed.get(one)
    if (!others) return one
    const latest = Math.max(one.timeMs, ...others.map(({ timeMs }) => timeMs))
    return { ...one, timeMs: latest, disputed: others }
  })
  return { witnessed: judged, vanished }
}
