/** Raised by every change of the shape below; `upgrade` carries pending work over, never drops it. */
export const SCHEMA_VERSION = 1

/**
 * - `sessions`: `SessionRecord` by id. Index `open`: what is not settled, oldest first
 * - `chunks`: `ChunkRecord` by id. Indexes `place`: one content for each (session, index); `due`: what waits for a lane, in
 *   its order; `proved`: what the store has and the chain does not, by (session, place in the log)
 * - `entries`: each session's log, bytes by (session, position)
 * - `heads`: what each session's key has signed, `HeadRecord` by (session, size)
 * - `payloads`: bytes alone, a Blob or an ArrayBuffer by chunk id, written once and deleted once: a `put` of a record that
 *   holds a Blob writes the Blob again
 * - `log`: `LogEntry[]` of a transaction by number; older versions wrote each by itself
 * - `meta`: any value by name
 */
export const RECORDS = ['sessions', 'chunks', 'entries', 'heads', 'log', 'meta']
export const PAYLOADS = ['payloads']
export const ALL = [...RECORDS, ...PAYLOADS]

/** Brings a database of any older version to this one, in place. */
export function upgrade(db: IDBDatabase, oldVersion: number): void {
  if (oldVersion < 1) {
    db.createObjectStore('sessions', { keyPath: 'id' }).createIndex('open', 'open')
    const chunks = db.createObjectStore('chunks', { keyPath: 'id' })
    chunks.createIndex('place', ['sessionId', 'index'], { unique: true })
    chunks.createIndex('due', 'due')
    chunks.createIndex('proved', 'proved')
    db.createObjectStore('entries')
    db.createObjectStore('heads', { keyPath: ['sessionId', 'size'] })
    db.createObjectStore('payloads')
    db.createObjectStore('log', { autoIncrement: true })
    db.createObjectStore('meta')
  }
}
