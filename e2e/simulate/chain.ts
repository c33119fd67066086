import { HoldfastError } from '../../src/protocol/errors.ts'
import type { Cid, SessionId, Sha256Hex } from '../../src/protocol/ids.ts'
import type { Anchor, AnchorRequest, Witnessed } from '../../sw/ports/anchor.ts'
import { request, type Caller } from './request.ts'
import type { Scene } from './scene.ts'

/** A signed anchor: one for each idempotency key, for ever, and in the order of their nonces. */
interface Signed {
  readonly key: string
  readonly signer: string
  readonly anchor: AnchorRequest
  /** Where it is mined, also in the future; undefined where the chain has lost it. */
  block: number | undefined
}

/** A chain with the registry, and the relay that signs for it. */
export interface Chain {
  /** What the chain holds of a session at the wanted depth, in truth: now, then what it held lately. */
  deep(id: SessionId): readonly NonNullable<Witnessed['latest']>[]
  /**
   * The newest blocks, above the wanted depth, become others.
   *
   * @param vanish their anchors are in none of them
   * @param deeper so many blocks below that too
   */
  reorganise(vanish: boolean, deeper: number): void
  /** Somebody else anchors this session. @param sameSigner as ourselves, with another root */
  anchorByOther(id: SessionId, sameSigner: boolean, chunkCount: number): void
  /** Sessions that somebody else has written to. */
  readonly foreign: ReadonlySet<SessionId>
  /** The relay mines what it took. */
  mine(): void
  anchorOf(caller: Caller): Anchor
}

export const BLOCK_MS = 2_000
const TAKES_MS = 30
const SIGNER = `0x${'ab'.repeat(20)}`
const OTHER_SIGNER = `0x${'cd'.repeat(20)}`
/** What a worker saw deep may be told of this late, where its disk hangs meanwhile, ms. */
const TOLD_LATE_MS = 120_000

/** Hears of anchors. */
export interface AnchorListener {
  /** It leaves its worker now. */
  leaves(anchor: AnchorRequest): void
  /** It is about to be signed, and these were before. */
  isSigned(anchor: AnchorRequest, before: readonly AnchorRequest[]): void
}

export function chainWithRelay(scene: Scene, { leaves: onLeaving, isSigned }: AnchorListener): Chain {
  const { clock, history } = scene
  const startMs = clock.now()
  const journal: Signed[] = []
  /** Anchors that were handed over, and have not been looked for since. */
  const unread = new Map<string, SessionId>()
  /** The manifest in the newest block, as a worker was last told. */
  const shown = new Map<SessionId, string | undefined>()
  const head = () => 100 + Math.floor((clock.now() - startMs) / BLOCK_MS)

  const foreign = new Set<SessionId>()
  /** The chain before blocks at the wanted depth became others. */
  let undone:
    { readonly journal: readonly Signed[]; readonly head: number; readonly untilMs: number } | undefined

  const seenAt = (id: SessionId, block: number) => recordOf(journal, id, block)

  const view = (id: SessionId, blockNumber: number): Witnessed => {
    const latest = seenAt(id, blockNumber)
    const deep = seenAt(id, blockNumber - history.depth + 1)
    return { blockNumber, ...(latest && { latest }), ...(deep && { deep }) }
  }

  const take = (anchor: AnchorRequest) => {
    const key = keyOf(anchor)
    if (!journal.some((signed) => signed.key === key)) {
      const now = seenAt(anchor.sessionId, Infinity)
      if (now !== undefined && anchor.chunkCount < now.chunkCount)
        throw new HoldfastError('anchor-rejected', 'ChunkCountFell')
      const own = journal.filter(({ key: of }) => !of.startsWith(OTHER))
      isSigned(
        anchor,
        own.map((signed) => signed.anchor),
      )
      journal.push({ key, signer: SIGNER, anchor, block: undefined })
    }
    const sitsMs = scene.relaySitsUntilMs - clock.now()
    if (sitsMs > 0) void scene.sleep(sitsMs).then(mine)
    else mine()
  }

  const mine = () => {
    // Lower nonces first: a gap would hold up the rest.
    let lowest = head() + 1 + Math.floor(scene.about(1))
    for (const signed of journal) {
      signed.block ??= lowest
      lowest = Math.max(lowest, signed.block)
    }
  }

  return {
    foreign,
    mine,
    deep(id) {
      const deepest = head() - history.depth + 1
      const lately = [...Array(TOLD_LATE_MS / BLOCK_MS).keys()].map((blocks) => seenAt(id, deepest - blocks))
      if (undone && clock.now() < undone.untilMs)
        lately.push(recordOf(undone.journal, id, undone.head - history.depth + 1))
      return lately.filter((record) => record !== undefined)
    },
    reorganise(vanish, deeper) {
      if (deeper > 0)
        undone = {
          journal: journal.map((signed) => ({ ...signed })),
          head: head(),
          untilMs: clock.now() + TOLD_LATE_MS,
        }
      const first = head() - history.depth + 2 - deeper
      for (const signed of journal)
        if (signed.block !== undefined && signed.block >= first)
          signed.block = vanish ? undefined : signed.block + 1
    },
    anchorByOther(id, sameSigner, chunkCount) {
      foreign.add(id)
      const anchor = {
        sessionId: id,
        merkleRoot: '9'.repeat(64) as Sha256Hex,
        manifestCid: 'bnotours' as Cid,
        chunkCount,
        groupIds: [],
      }
      const signer = sameSigner ? SIGNER : OTHER_SIGNER
      journal.push({ key: `${OTHER}${journal.length}`, signer, anchor, block: head() + 1 })
    },
    anchorOf: (caller) => ({
      name: 'chain',
      pollMs: BLOCK_MS,
      uploader: (signal) =>
        request(
          scene,
          caller,
          { what: 'ask the relay for its address', signal, takesMs: TAKES_MS },
          () => SIGNER,
        ),
      async read(id, signal) {
        const exchange = { what: `read ${id} on the chain`, signal, takesMs: TAKES_MS }
        // A node that lags behind tells of an older chain.
        const seen = await request(scene, caller, exchange, (lies) => view(id, head() - (lies ? 3 : 0)))
        shown.set(id, seen.latest?.manifestCid)
        for (const [key, of] of unread) if (of === id) unread.delete(key)
        return seen
      },
      async submit(anchor, signal) {
        const key = keyOf(anchor)
        const leaves = () => {
          if (unread.has(key) && scene.thefts === 0)
            scene.fail(`${key} was anchored again without reading the chain before`)
          if (shown.get(anchor.sessionId) === anchor.manifestCid && scene.thefts === 0)
            scene.fail(`${key} was anchored again though the newest block shows it`)
          onLeaving(anchor)
          unread.set(key, anchor.sessionId)
        }
        const exchange = { what: `submit ${key}`, signal, takesMs: TAKES_MS, leaves }
        await request(scene, caller, exchange, (lies) => {
          if (!lies) return take(anchor)
          // It takes the anchor and loses it, or hears of it twice.
          if (scene.random() < 0.5) return
          take(anchor)
          void scene
            .sleep(30_000 * scene.random())
            .then(() => take(anchor))
            .catch(() => undefined)
        })
      },
    }),
  }
}

/** Begins the keys of anchors that are not ours. */
const OTHER = 'other '

const keyOf = ({ sessionId, manifestCid }: AnchorRequest) => `${sessionId}/${manifestCid}`

/** The registry's record at a block. Whoever is first creates it; others, and an anchor that shrinks it, revert. */
function recordOf(journal: readonly Signed[], id: SessionId, block: number): Witnessed['latest'] {
  const mined = journal.filter(({ anchor, block: at = Infinity }) => at <= block && anchor.sessionId === id)
  let record: (AnchorRequest & { creator: string }) | undefined
  for (const { anchor, signer } of mined.toSorted((a, b) => (a.block ?? 0) - (b.block ?? 0)))
    if (record === undefined || (signer === record.creator && anchor.chunkCount >= record.chunkCount))
      record = { creator: signer, ...anchor }
  return record
}
