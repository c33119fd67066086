import type { Cid, GroupId, SessionId, Sha256Hex } from '../../src/protocol/ids.ts'

/** What is to be witnessed of a session. */
export interface AnchorRequest {
  readonly sessionId: SessionId
  readonly merkleRoot: Sha256Hex
  readonly manifestCid: Cid
  readonly chunkCount: number
  readonly groupIds: readonly GroupId[]
}

/** A session as the chain holds it. */
export interface AnchorRecord {
  /** Who signed the session's first anchor, and alone may sign the next: `0x` and 40 hex digits. */
  readonly creator: string
  readonly merkleRoot: string
  readonly manifestCid: string
  readonly chunkCount: number
}

/** What the chain says of a session: newest, and at the wanted depth. */
export interface Witnessed {
  readonly blockNumber: number
  readonly latest?: AnchorRecord
  readonly deep?: AnchorRecord
}

/** An outside witness of a session's root. */
export interface Anchor {
  readonly name: string
  /** How often it is worth looking whether an anchor got deeper, ms. */
  readonly pollMs: number
  /** The address that signs the anchors. */
  uploader(signal: AbortSignal): Promise<string>
  read(sessionId: SessionId, signal: AbortSignal): Promise<Witnessed>
  /** Hands the anchor over; says nothing of the chain, which must be read for that. */
  submit(request: AnchorRequest, signal: AbortSignal): Promise<void>
}
