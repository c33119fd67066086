import type { WitnessStep } from '../engine/context.ts'
import type { SignedHead } from '../../src/evidence/head.ts'
import type { SetAside } from '../../src/protocol/snapshot.ts'
import type { GroupId, SessionName, Sha256Hex } from '../../src/protocol/ids.ts'

export type { SignedHead }

/** What is to be witnessed of a session. */
export interface AnchorRequest {
  readonly head: SignedHead
  /** The session's groups, in the order of its first entry. */
  readonly groups: readonly { readonly id: GroupId; readonly tag: Sha256Hex }[]
}

/** The newest head of a session as the chain holds it at some block. */
export interface WitnessedHead {
  /** Entries in the log. */
  readonly size: number
  readonly root: Sha256Hex
  /** Digest of the page that ends there. */
  readonly page: Sha256Hex
  /** Nothing larger is ever taken. */
  readonly end: boolean
  /** The block that took it. */
  readonly blockNumber: number
  /** That block's time, ms since the epoch. */
  readonly blockAtMs: number
  /** The block that took the session's first head. */
  readonly firstBlock: number
}

/** What the chain says of a session: at the newest block, and at the wanted depth. */
export interface Witnessed {
  readonly blockNumber: number
  readonly latest?: WitnessedHead | undefined
  readonly deep?: WitnessedHead | undefined
}

/** What brought a head to the chain: kept with the session. */
export interface Receipt {
  readonly transactionHash: string
  readonly blockHash: string
  /** Of several nodes those that did not say so. */
  readonly setAside?: readonly SetAside[]
}

/** A head that the chain took, as its event tells of it. */
export interface TakenHead extends Pick<WitnessedHead, 'size' | 'root' | 'page' | 'end'> {
  /** Digest of the session's groups. */
  readonly groups: Sha256Hex
  /** The block that took the head before; 0 where there was none. */
  readonly previousBlock: number
  readonly receipt: Receipt
}

/** An outside witness of a session's heads. */
export interface Anchor {
  readonly name: string
  /**
   * Names the witness itself, wherever it is reached: sessions are bound to it. Never a URL, which may move. Of an EVM
   * chain: `evm:<chain id, empty where it is not given>:<registry, lower case>`.
   */
  readonly identity: string
  /** How the engine goes about it: `witnessByChain`, which a worker without an anchor does not carry. */
  readonly witness: WitnessStep
  /** How often it is worth looking whether a head got deeper, ms. */
  readonly pollMs: number
  /** A session's next head is handed over no sooner than this after the one before, ms; its last one at once. */
  readonly everyMs: number
  read(name: SessionName, signal: AbortSignal): Promise<Witnessed>
  /** Hands the head over; says nothing of the chain, which must be read for that. */
  submit(request: AnchorRequest, signal: AbortSignal): Promise<void>
  /**
   * All heads of the session that the chain took in these blocks, the last included, oldest first, as far as a node
   * tells. What it does not tell holds nothing up: the heads that `read` gives count all the same.
   */
  events(name: SessionName, from: number, to: number, signal: AbortSignal): Promise<readonly TakenHead[]>
}
