import { HoldfastError } from '../../src/protocol/errors.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import type { Anchor, AnchorRequest, Witnessed } from '../../sw/ports/anchor.ts'
import { request, type Caller } from './request.ts'
import type { Scene } from './scene.ts'

/** A signed anchor: one for each idempotency key, for ever, and in the order of their nonces. */
interface Signed {
  readonly key: string
  readonly anchor: AnchorRequest
  /** Where it is mined, also in the future; undefined where the chain has lost it. */
  block: number | undefined
}

/** A chain with the registry, and the relay that signs for it. */
export interface Chain {
  /** What the chain holds of a session at the wanted depth, in truth. */
  deep(id: SessionId): Witnessed['latest']
  /** The newest blocks, above the wanted depth, become others. @param vanish their anchors are in none of them */
  reorganise(vanish: boolean): void
  anchorOf(caller: Caller): Anchor
}

export const BLOCK_MS = 2_000
const TAKES_MS = 30
const SIGNER = `0x${'ab'.repeat(20)}`

/** @param beforeSigning hears of each anchor that is about to be signed, and of those that were before */
export function chainWithRelay(
  scene: Scene,
  beforeSigning: (anchor: AnchorRequest, before: readonly AnchorRequest[]) => void,
): Chain {
  const { clock, history } = scene
  const startMs = clock.now()
  const journal: Signed[] = []
  /** Anchors that were handed over, and have not been looked for since. */
  const unread = new Map<string, SessionId>()
  const head = () => 100 + Math.floor((clock.now() - startMs) / BLOCK_MS)

  /** The registry's record at a block; an anchor that shrinks a session reverts. */
  const seenAt = (id: SessionId, block: number): Witnessed['latest'] => {
    let record: AnchorRequest | undefined
    for (const { anchor, block: at } of journal) {
      if (at === undefined || at > block || anchor.sessionId !== id) continue
      if (record === undefined || anchor.chunkCount >= record.chunkCount) record = anchor
    }
    return record && { creator: SIGNER, ...record }
  }

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
      beforeSigning(
        anchor,
        journal.map((signed) => signed.anchor),
      )
      journal.push({ key, anchor, block: undefined })
    }
    // Lower nonces first: a gap would hold up the rest.
    let lowest = head() + 1 + Math.floor(scene.about(1))
    for (const signed of journal) {
      signed.block ??= lowest
      lowest = Math.max(lowest, signed.block)
    }
  }

  return {
    deep: (id) => seenAt(id, head() - history.depth + 1),
    reorganise(vanish) {
      const first = head() - history.depth + 2
      for (const signed of journal)
        if (signed.block !== undefined && signed.block >= first)
          signed.block = vanish ? undefined : signed.block + 1
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
        for (const [key, of] of unread) if (of === id) unread.delete(key)
        return seen
      },
      async submit(anchor, signal) {
        const key = keyOf(anchor)
        const leaves = () => {
          if (unread.has(key)) scene.fail(`${key} was anchored again without reading the chain before`)
          unread.set(key, anchor.sessionId)
        }
        const exchange = { what: `submit ${key}`, signal, takesMs: TAKES_MS, leaves }
        await request(scene, caller, exchange, (lies) => {
          if (!lies) return take(anchor)
          // It takes the anchor and loses it, or hears of it twice.
          if (scene.random() < 0.5) return
          take(anchor)
          void scene.sleep(30_000 * scene.random()).then(() => take(anchor))
        })
      },
    }),
  }
}

const keyOf = ({ sessionId, manifestCid }: AnchorRequest) => `${sessionId}/${manifestCid}`
