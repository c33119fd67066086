import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import type { ChunkRecord, HeadRecord, LogEntry, SessionRecord } from '../core/record.ts'
import type { QueueRange } from '../core/session.ts'

export type { QueueRange }

/** What a transaction can read. Await nothing else inside it: it would end. */
export interface ReadTransaction {
  session(id: SessionId): Promise<SessionRecord | undefined>
  /** Newest first. */
  sessions(): Promise<SessionRecord[]>
  /** Sessions with something left to do, oldest first. Not of what the same transaction wrote. */
  openSessions(): Promise<SessionRecord[]>
  chunk(id: ChunkId): Promise<ChunkRecord | undefined>
  /** The first chunk, in the order of their ids, that is of no session up to this one; '' for the first of all. */
  chunkAfter(id: SessionId | ''): Promise<ChunkRecord | undefined>
  /** How many chunks of the session there are. */
  count(id: SessionId): Promise<number>
  /** By index. */
  chunksOf(id: SessionId): Promise<ChunkRecord[]>
  /** Those that are proved to be stored and not confirmed, with places in the log from `from` to before `to`; in their order. */
  provedChunks(id: SessionId, from: number, to: number): Promise<ChunkRecord[]>
  /** Entries of the session's log, from `from` to before `to`; as many as there are. */
  entries(id: SessionId, from: number, to: number): Promise<Uint8Array<ArrayBuffer>[]>
  /** The head of this size, if the session has signed one. */
  head(id: SessionId, size: number): Promise<HeadRecord | undefined>
  /** The session's heads of sizes above `from`, up to `to`, by size. */
  heads(id: SessionId, from: number, to: number): Promise<HeadRecord[]>
  /** The first chunk in this part of the queue that is not in `skip`; no scan. Not of what the same transaction wrote. */
  nextDue(part: QueueRange, skip: ReadonlySet<ChunkId>): Promise<ChunkRecord | undefined>
  meta(name: string): Promise<unknown>
  /** The newest lines of the custody log, newest first. Not of what the same transaction wrote. */
  log(count: number): Promise<LogEntry[]>
}

/** What a transaction can change: all of it, or nothing. */
export interface WriteTransaction extends ReadTransaction {
  putSession(session: SessionRecord): Promise<unknown>
  putChunk(chunk: ChunkRecord): Promise<unknown>
  /** @param posted the same bytes in a Blob that cannot change, for a store that keeps Blobs: it need not make one */
  putPayload(id: ChunkId, bytes: ArrayBuffer, posted?: Blob): Promise<unknown>
  deletePayload(id: ChunkId): Promise<unknown>
  putEntry(id: SessionId, position: number, entry: Uint8Array<ArrayBuffer>): Promise<unknown>
  putHead(head: HeadRecord): Promise<unknown>
  /** Removes the session, its chunks and payloads, its log and its heads; what is there of it, be it no more than bytes. */
  deleteSession(id: SessionId): Promise<unknown>
  putMeta(name: string, value: unknown): Promise<unknown>
  deleteMeta(name: string): Promise<unknown>
  /** Lines of the custody log. */
  addLog(lines: readonly LogEntry[]): Promise<unknown>
  /** Removes the session's lines from the custody log. */
  forgetLog(id: SessionId): Promise<unknown>
}

/** Where a transaction needs less than all. */
export interface WriteNeeds {
  /**
   * What it changes may be lost where the device loses its power, with all that is as repeatable after it: whoever finds
   * it undone does it again. A worker's death and the browser's lose nothing.
   */
  readonly repeatable?: boolean | undefined
  /** It touches no payloads, so that they can be read beside it. */
  readonly records?: boolean | undefined
}

/** Durable records and bytes; it rejects with an `OwnError`. `work` may run again where a transaction fell: it changes nothing but the store. */
export interface Store {
  read<T>(work: (tx: ReadTransaction) => Promise<T>): Promise<T>
  /**
   * Resolves once the transaction is complete, with strict durability unless it is repeatable; rejects, and changes
   * nothing, if `work` throws.
   */
  write<T>(work: (tx: WriteTransaction) => Promise<T>, needs?: WriteNeeds): Promise<T>
  /**
   * A chunk's bytes, read in full; this may fail in any way, or last for ever.
   *
   * @throws HoldfastError `payload-unreadable` where they are missing
   */
  payload(id: ChunkId): Promise<ArrayBuffer>
  /**
   * The same bytes in the Blob that keeps them, of which nothing is read; absent, or undefined, where none does.
   *
   * @throws HoldfastError `payload-unreadable` where they are missing
   */
  blob?(id: ChunkId): Promise<Blob | undefined>
  close(): void
}
