import type { ChunkId, Cid, GroupId, SessionId, Sha256Hex } from '../src/protocol/ids.ts'
import type { ChunkRecord, DueKey, LogEntry, SessionRecord } from './core/record.ts'

/** What a transaction can read. Await nothing else inside it: it would end. */
export interface ReadTransaction {
  session(id: SessionId): Promise<SessionRecord | undefined>
  /** Newest first. */
  sessions(): Promise<SessionRecord[]>
  /** Sessions with something left to do, oldest first. */
  openSessions(): Promise<SessionRecord[]>
  chunk(id: ChunkId): Promise<ChunkRecord | undefined>
  /** By index. */
  chunksOf(id: SessionId): Promise<ChunkRecord[]>
  /**
   * The first chunk in the queue whose time has come and that is not in `skip`; no scan.
   *
   * @param from leaves out what stands before this place; its time is no later than `nowMs`
   */
  nextDue(nowMs: number, skip: ReadonlySet<ChunkId>, from?: DueKey): Promise<ChunkRecord | undefined>
  /** The earliest time at which a waiting chunk that is not in `skip` is due, ms since the epoch. */
  nextDueAtMs(skip: ReadonlySet<ChunkId>): Promise<number | undefined>
  meta(name: string): Promise<unknown>
  /** The newest lines of the custody log, newest first. */
  log(count: number): Promise<LogEntry[]>
}

/** What a transaction can change: all of it, or nothing. */
export interface WriteTransaction extends ReadTransaction {
  putSession(session: SessionRecord): Promise<void>
  putChunk(chunk: ChunkRecord): Promise<void>
  putPayload(id: ChunkId, bytes: ArrayBuffer): Promise<void>
  deletePayload(id: ChunkId): Promise<void>
  /** Removes the session, its chunks and their payloads. */
  deleteSession(id: SessionId): Promise<void>
  putMeta(name: string, value: unknown): Promise<void>
  deleteMeta(name: string): Promise<void>
  addLog(entry: LogEntry): Promise<void>
}

/** Durable records and bytes. `work` may run again where a transaction fell: it changes nothing but the store. */
export interface Store {
  read<T>(work: (tx: ReadTransaction) => Promise<T>): Promise<T>
  /** Resolves once the transaction is complete, with strict durability; rejects, and changes nothing, if `work` throws. */
  write<T>(work: (tx: WriteTransaction) => Promise<T>): Promise<T>
  /**
   * A chunk's bytes, read in full.
   *
   * @throws HoldfastError `payload-unreadable` where they are missing or cannot be read
   */
  payload(id: ChunkId): Promise<ArrayBuffer>
  close(): void
}

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

/** Mutual exclusion across pages, workers and worker versions; a holder's death releases it. */
export interface Lock {
  /** Runs `work` alone. */
  run<T>(name: string, work: () => Promise<T>): Promise<T>
  /** Resolves as soon as nobody holds the lock. */
  released(name: string): Promise<void>
}

/** Asks the browser to wake the worker again. */
export interface Wake {
  /** Asks if it is time to; never throws, and without an open page it can do nothing. */
  arm(): Promise<void>
}

/** Time and chance. */
export interface Clock {
  /** ms since the epoch */
  now(): number
  /** uniform in [0, 1) */
  random(): number
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}
