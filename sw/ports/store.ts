import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import type { ChunkRecord, DueKey, LogEntry, SessionRecord } from '../core/record.ts'

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
