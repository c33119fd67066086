import type { DBSchema, IDBPDatabase } from 'idb'
import type { ChunkId, SessionId } from '../../../src/protocol/ids.ts'
import type { ChunkRecord, DueKey, LogEntry, SessionRecord } from '../../core/record.ts'

/** Raised by every change of the shape below; `upgrade` carries pending work over, never drops it. */
export const SCHEMA_VERSION = 1

export interface Schema extends DBSchema {
  /** `open` lists what is not settled, oldest first. */
  sessions: { key: SessionId; value: SessionRecord; indexes: { open: number } }
  /** `place`: one content for each (session, index). `due`: what waits for a lane, in its order. */
  chunks: { key: ChunkId; value: ChunkRecord; indexes: { place: [SessionId, number]; due: DueKey } }
  /** Bytes alone, written once and deleted once: a `put` of a record that holds a Blob writes the Blob again. */
  payloads: { key: ChunkId; value: Blob | ArrayBuffer }
  log: { key: number; value: LogEntry }
  meta: { key: string; value: unknown }
}

export const STORES = ['sessions', 'chunks', 'payloads', 'log', 'meta'] as const

/** Brings a database of any older version to this one, in place. */
export function upgrade(db: IDBPDatabase<Schema>, oldVersion: number): void {
  if (oldVersion < 1) {
    db.createObjectStore('sessions', { keyPath: 'id' }).createIndex('open', 'open')
    const chunks = db.createObjectStore('chunks', { keyPath: 'id' })
    chunks.createIndex('place', ['sessionId', 'index'], { unique: true })
    chunks.createIndex('due', 'due')
    db.createObjectStore('payloads')
    db.createObjectStore('log', { autoIncrement: true })
    db.createObjectStore('meta')
  }
}
