import { following } from '../protocol/following.ts'
import type { SessionName, Sha256Hex } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import { readHeads, type Telling, type WitnessedHead } from './heads.ts'
import type { Limits } from './request.ts'
import { hostOf, type Chain } from './rpc.ts'

/** A head as somebody told of it before; one that is in no block says nothing of the chain. */
export interface SeenHead {
  readonly size: number
  readonly root: Sha256Hex
  readonly blockNumber: number | undefined
  readonly timeMs: number | undefined
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
  /** Why it could not be read; neither, where it took far longer than another one. */
  readonly error?: VerificationError
}

/** What the chain has of a session, by all that was asked. */
export interface History {
  readonly witnessed: readonly WitnessedHead[]
  readonly vanished: readonly VanishedHead[]
  readonly nodes: readonly NodeReport[]
}

/** A node is waited for as long again as the first one took, and this long besides. */
const GRACE_MS = 2_000

/**
 * All heads of a session, by several nodes at once. What they say is signed, so none can invent a head, but each can
 * keep some back, or name a wrong block: the one that tells of most is believed, and where another names another block
 * for a head, the later time. What only others tell of, or an earlier reading did, has vanished.
 *
 * @throws VerificationError of the first node that was heard, where none can be read
 */
export async function readHistory(
  chains: readonly Chain[],
  name: SessionName,
  limits: Limits,
  seen: readonly SeenHead[],
): Promise<History> {
  const ending = following(limits.signal)
  try {
    const read = await readAll(chains, name, { ...limits, signal: ending.signal })
    limits.signal?.throwIfAborted()
    const told = read.filter((node) => node.witnessed !== undefined)
    const [best] = [...told].sort((a, b) => signedHeads(b) - signedHeads(a))
    if (!best?.witnessed) throw worstOf(read)
    const tellings = told
      .filter((node) => node !== best)
      .map(({ host, witnessed }) => ({
        by: host,
        heads: witnessed!.filter(({ isSigned }) => isSigned).map(seenOf),
      }))
    if (seen.length > 0) tellings.push({ by: 'an earlier reading', heads: seen.filter(isInBlock) })
    const nodes = read.map(({ witnessed, ...node }): NodeReport =>
      witnessed ? { host: node.host, heads: signedHeads({ witnessed }) } : node,
    )
    return { ...compare(best.witnessed, tellings), nodes }
  } finally {
    ending.abort()
  }
}

interface ReadNode {
  readonly host: string
  readonly witnessed?: readonly WitnessedHead[]
  readonly error?: VerificationError
}

const signedHeads = ({ witnessed }: Pick<ReadNode, 'witnessed'>) =>
  witnessed?.filter(({ isSigned }) => isSigned).length ?? 0

async function readAll(chains: readonly Chain[], name: SessionName, limits: Limits): Promise<ReadNode[]> {
  const nodes = chains.map((chain): ReadNode => ({ host: hostOf(chain) }))
  const began = performance.now()
  let timer: ReturnType<typeof setTimeout> | undefined
  let soon = () => {}
  const enough = new Promise<void>((resolve) => {
    soon = resolve
  })
  const reading = chains.map(async (chain, at) => {
    const { host } = nodes[at]!
    // A signal of its own: Node warns of one with many listeners.
    const { signal } = following(limits.signal)
    try {
      nodes[at] = { host, witnessed: await readHeads(chain, name, { ...limits, signal }) }
      timer ??= setTimeout(soon, performance.now() - began + GRACE_MS)
    } catch (error) {
      if (error instanceof VerificationError) nodes[at] = { host, error }
      else if (!limits.signal?.aborted) throw error
    }
  })
  await Promise.race([Promise.all(reading), enough])
  clearTimeout(timer)
  return [...nodes]
}

/** What a node that answered found wrong says more than that another one is silent. */
function worstOf(read: readonly ReadNode[]): VerificationError {
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
