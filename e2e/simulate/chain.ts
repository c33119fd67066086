import { witnessByChain } from '../../sw/engine/witness.ts'
import { groupsDigest, verifyHead } from '../../src/evidence/head.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { SessionId, SessionName, Sha256Hex } from '../../src/protocol/ids.ts'
import type { Anchor, AnchorRequest, SignedHead, Witnessed, WitnessedHead } from '../../sw/ports/anchor.ts'
import { nameOf, signedByStranger, signedByThief } from './recorded.ts'
import { request, type Caller } from './simulated-request.ts'
import type { Scene } from './simulated-scene.ts'

/** One call of the registry: what a relay signs once for each head, for ever, or what somebody else sends. */
interface Call {
  readonly by: Relay | 'carrier' | 'stranger' | 'thief'
  readonly head: SignedHead
  /** Where it is mined, also in the future; undefined where the chain has lost it. */
  block: number | undefined
}

/** What the registry holds of a session, and the call that brought it. */
type Held = Call & { readonly block: number }

/** One of the relays, by its number. */
type Relay = 0 | 1

/** A chain with the registry, and the relays that pay for heads. */
export interface Chain {
  /** What the chain holds of a session at the wanted depth, in truth: now, then what it held lately. */
  deep(id: SessionId): readonly SignedHead[]
  /** What a worker was last told that the newest block holds of it. */
  shown(id: SessionId): WitnessedHead | undefined
  /**
   * The newest blocks, above the wanted depth, become others.
   *
   * @param vanish their calls are in none of them
   * @param deeper so many blocks below that too
   */
  reorganise(vanish: boolean, deeper: number): void
  /** Somebody hands over the newest head that a relay was given. */
  carry(id: SessionId): void
  /** Somebody hands over a head of this session that is not its own. @param larger than what the chain holds */
  anchorByOther(id: SessionId, who: 'stranger' | 'thief', larger: number, end: boolean): Promise<void>
  /** Whether a thief's head has replaced the session's own, or had before. */
  isForked(id: SessionId): boolean
  /** The relays mine what they took. */
  mine(): void
  anchorOf(caller: Caller): Anchor
}

export const BLOCK_MS = 2_000
const TAKES_MS = 30
const RELAYS: readonly Relay[] = [0, 1]
/** A session's heads are handed over no more often, ms. */
export const EVERY_MS = 5_000
/** What a worker saw deep may be told of this late, where its disk hangs meanwhile, ms. */
export const TOLD_LATE_MS = 120_000
/** What a node that lags is behind at most, blocks. */
const MAX_BLOCKS_BEHIND = 6

/** Hears of heads. */
export interface AnchorListener {
  /** It leaves its worker now. */
  leaves(request: AnchorRequest): void
  /** A relay is about to pay for it. */
  isPaid(request: AnchorRequest): void
}

/** @param ignoresSigner a registry that is broken on purpose: it takes any head, whoever signed it */
export function chainWithRelays(
  scene: Scene,
  { leaves: onLeaving, isPaid }: AnchorListener,
  ignoresSigner = false,
): Chain {
  const { clock, faults, history } = scene
  const startMs = clock.now()
  const journal: Call[] = []
  /** What any relay was given, newest last. */
  const heard: SignedHead[] = []
  /** Heads that were handed over, and have not been looked for since. */
  const unread = new Map<string, SessionName>()
  const shown = new Map<SessionName, WitnessedHead | undefined>()
  /** The chain before blocks at the wanted depth became others. */
  const undone: { readonly journal: readonly Call[]; readonly tip: number }[] = []
  const exchangeOf = (what: string, signal: AbortSignal) => ({
    what,
    signal,
    takesMs: TAKES_MS,
    hangs: faults.lasts('chain-hangs'),
  })
  const tip = () => 100 + Math.floor((clock.now() - startMs) / BLOCK_MS)
  const timeOf = (block: number) => startMs + (block - 100) * BLOCK_MS

  const view = (name: SessionName, blockNumber: number): Witnessed => {
    const at = (block: number) => {
      const held = heldAt(journal, name, block)
      const [first] = takenBy(journal, name, block)
      return held && first && witnessed(held, timeOf(held.block), first.block)
    }
    const latest = at(blockNumber)
    const deep = at(blockNumber - history.depth + 1)
    return { blockNumber, ...(latest && { latest }), ...(deep && { deep }) }
  }

  /** What the registry demands of a call; a head that is no larger than the one it holds succeeds and changes nothing. */
  const isValid = async ({ head, groups }: AnchorRequest) =>
    (ignoresSigner || (await verifyHead(head, head.publicKey, head.signature))) &&
    (groups.length === 0 || (await groupsDigest(groups)) === head.groups)

  const take = async (relay: Relay, anchor: AnchorRequest) => {
    if (!(await isValid(anchor))) throw new HoldfastError('anchor-rejected', 'The registry reverts.')
    const { head } = anchor
    if (!journal.some((call) => call.by === relay && keyOf(call.head) === keyOf(head))) {
      isPaid(anchor)
      journal.push({ by: relay, head, block: undefined })
    }
    const sitsMs = Math.max(faults.leftMs('relays-sit'), relay === 0 ? faults.leftMs('relay-sits') : 0)
    if (sitsMs > 0) void scene.sleep(sitsMs).then(() => mine(relay))
    else mine(relay)
  }

  const mine = (relay: Relay) => {
    // Lower nonces first: a gap would hold up the rest.
    let lowest = tip() + 1 + Math.floor(scene.about(1))
    for (const call of journal) {
      if (call.by !== relay) continue
      call.block ??= lowest
      lowest = Math.max(lowest, call.block)
    }
  }

  /** What was deep at some time lately, on the chain as it was at this block. */
  const lately = (of: readonly Call[], at: number, name: SessionName) =>
    [...Array(TOLD_LATE_MS / BLOCK_MS).keys()].flatMap(
      (blocks) => heldAt(of, name, at - history.depth + 1 - blocks)?.head ?? [],
    )

  return {
    mine: () => RELAYS.forEach(mine),
    shown: (id) => shown.get(nameOf(id)),
    isForked: (id) => takenBy(journal, nameOf(id), Infinity).some(({ by }) => by === 'thief'),
    deep(id) {
      const name = nameOf(id)
      const before = undone.filter((one) => one.tip * BLOCK_MS >= tip() * BLOCK_MS - TOLD_LATE_MS)
      const all = [
        ...lately(journal, tip(), name),
        ...before.flatMap((one) => lately(one.journal, one.tip, name)),
      ]
      return [...new Set(all)]
    },
    reorganise(vanish, deeper) {
      if (deeper > 0) undone.push({ journal: journal.map((call) => ({ ...call })), tip: tip() })
      const first = tip() - history.depth + 2 - deeper
      for (const call of journal)
        if (call.block !== undefined && call.block >= first) call.block = vanish ? undefined : call.block + 1
    },
    carry(id) {
      const head = heard.findLast(({ name }) => name === nameOf(id))
      if (head) journal.push({ by: 'carrier', head, block: tip() + 1 })
    },
    async anchorByOther(id, who, larger, end) {
      const name = nameOf(id)
      const sign =
        who === 'thief'
          ? (head: Omit<SignedHead, 'publicKey' | 'signature'>) => signedByThief(id, head)
          : signedByStranger
      const junk = '9'.repeat(64) as Sha256Hex
      const size = Math.max(1, (heldAt(journal, name, Infinity)?.head.size ?? 0) + larger)
      const head = sign({
        name,
        size,
        root: junk,
        page: junk,
        previous: null,
        groups: await groupsDigest([]),
        end,
      })
      if (await isValid({ head, groups: [] })) journal.push({ by: who, head, block: tip() + 1 })
      else scene.trace(() => `the registry refuses a head of ${name} by a ${who}`)
    },
    anchorOf: (caller) => ({
      name: 'chain',
      identity: 'chain',
      witness: witnessByChain,
      pollMs: BLOCK_MS,
      everyMs: EVERY_MS,
      async read(name, signal) {
        const exchange = exchangeOf(`read ${name} on the chain`, signal)
        // A node that lags behind tells of an older chain.
        const seen = await request(scene, caller, exchange, (lies) => {
          const lags = faults.lasts('nodes-lag') ? Math.floor(MAX_BLOCKS_BEHIND * scene.random()) : 0
          return view(name, tip() - Math.max(lags, lies ? 3 : 0))
        })
        shown.set(name, seen.latest)
        for (const [key, of] of unread) if (of === name) unread.delete(key)
        return seen
      },
      async submit(anchor, signal) {
        const { head } = anchor
        const key = keyOf(head)
        const leaves = () => {
          if (unread.has(key) && scene.thefts === 0)
            scene.fail(`${key} was handed over again without reading the chain before`)
          const latest = shown.get(head.name)
          if (latest?.size === head.size && latest.root === head.root && scene.thefts === 0)
            scene.fail(`${key} was handed over though the newest block shows it`)
          onLeaving(anchor)
          unread.set(key, head.name)
        }
        let failure: unknown
        // As the adapter does: each in turn, until one takes it.
        for (const relay of RELAYS) {
          const what = `hand ${key} to relay ${relay + 1}`
          const exchange = { ...exchangeOf(what, signal), ...(relay === 0 && { leaves }) }
          try {
            return await request(scene, caller, exchange, async (lies) => {
              heard.push(head)
              if (!lies) return take(relay, anchor)
              // It takes the head and loses it, or hears of it twice.
              if (scene.random() < 0.5) return
              await take(relay, anchor)
              void scene
                .sleep(30_000 * scene.random())
                .then(() => take(relay, anchor))
                .catch(() => undefined)
            })
          } catch (error) {
            failure = error
            if (signal.aborted) break
          }
        }
        throw failure
      },
      async events(name, from, to, signal) {
        const exchange = exchangeOf(`ask for the events of ${name}`, signal)
        return request(scene, caller, exchange, (lies) => {
          // The node has forgotten them.
          if (lies) return []
          const hash = (text: string) => `0x${text.padStart(64, '0')}`
          return takenBy(journal, name, to).flatMap(({ head, block }, at, taken) => {
            if (block < from) return []
            const { size, root, page, end, groups } = head
            const receipt = { transactionHash: hash(String(size)), blockHash: hash(block.toString(16)) }
            return [{ size, root, page, end, groups, previousBlock: taken[at - 1]?.block ?? 0, receipt }]
          })
        })
      },
    }),
  }
}

const keyOf = ({ name, size, root }: SignedHead) => `${name}/${size}/${root.slice(0, 8)}`

const witnessed = ({ head, block }: Held, blockAtMs: number, firstBlock: number): WitnessedHead => {
  const { size, root, page, end } = head
  return { size, root, page, end, blockNumber: block, blockAtMs, firstBlock }
}

/** What the registry holds at a block. */
const heldAt = (...at: Parameters<typeof takenBy>): Held | undefined => takenBy(...at).at(-1)

/** What it took by then, oldest first: each larger than the one before, and none after one with an end. */
function takenBy(journal: readonly Call[], name: SessionName, block: number): readonly Held[] {
  const mined = journal.filter(
    (call): call is Held => call.block !== undefined && call.block <= block && call.head.name === name,
  )
  const taken: Held[] = []
  for (const call of mined.sort((a, b) => a.block - b.block)) {
    const held = taken.at(-1)?.head
    if (held?.end) break
    if (call.head.size > (held?.size ?? 0)) taken.push(call)
  }
  return taken
}
