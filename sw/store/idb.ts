import { openDB, type IDBPDatabase, type IDBPTransaction } from 'idb'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import type { ReadTransaction, Store, WriteTransaction } from '../ports.ts'
import { payloadBytes, payloadForm } from './payload-form.ts'
import { SCHEMA_VERSION, STORES, upgrade, type Schema } from './schema.ts'

type Database = IDBPDatabase<Schema>
type Mode = 'readonly' | 'readwrite'
type Transaction<M extends Mode> = IDBPTransaction<Schema, typeof STORES, M>

/** The custody log keeps about this many lines. */
const LOG_LINES = 5_000
/** A lost connection is opened again this often before the failure is told. */
const OPENINGS = 3

/** Opens the worker's store on the first use, and again whenever the browser has lost it. */
export function idbStore(name = 'holdfast'): Store {
  let opened: Promise<Database> | undefined

  const drop = () => {
    opened = undefined
  }

  const open = (): Promise<Database> => {
    opened ??= openDB<Schema>(name, SCHEMA_VERSION, {
      upgrade: (db, oldVersion) => upgrade(db, oldVersion),
      // A newer worker waits for its upgrade: make way, and open again at the next use.
      blocking: (_current, _blocked, event) => {
        drop()
        ;(event.target as IDBDatabase).close()
      },
      terminated: drop,
    }).catch((error: unknown) => {
      drop()
      throw error
    })
    return opened
  }

  async function begin<M extends Mode>(mode: M): Promise<Transaction<M>> {
    for (let opening = 1; ; opening++) {
      try {
        return (await open()).transaction(STORES, mode, { durability: 'strict' })
      } catch (error) {
        drop()
        if (opening === OPENINGS) throw storageError(error)
      }
    }
  }

  async function run<M extends Mode, T>(mode: M, work: (tx: Transaction<M>) => Promise<T>): Promise<T> {
    const tx = await begin(mode)
    try {
      const result = await work(tx)
      await tx.done
      return result
    } catch (error) {
      tx.done.catch(() => undefined)
      try {
        tx.abort()
      } catch {
        // It has ended by itself; then `tx.error` says why.
      }
      throw storageError(tx.error ?? error)
    }
  }

  return {
    read: (work) => run('readonly', (tx) => work(reader(tx))),
    write: (work) => run('readwrite', (tx) => work(writer(tx))),
    payload: async (id) => {
      const stored = await run('readonly', (tx) => tx.objectStore('payloads').get(id))
      if (stored === undefined)
        throw new HoldfastError('payload-unreadable', `The bytes of ${id} are missing.`)
      try {
        return await payloadBytes(stored)
      } catch (cause) {
        throw new HoldfastError('payload-unreadable', `The bytes of ${id} cannot be read.`, { cause })
      }
    },
    close: () => {
      void opened?.then((db) => db.close())
      drop()
    },
  }
}

function reader(tx: Transaction<Mode>): ReadTransaction {
  const sessions = tx.objectStore('sessions')
  const chunks = tx.objectStore('chunks')
  const firstDue = async (upTo: IDBKeyRange | null, skip: ReadonlySet<ChunkId>) => {
    let cursor = await chunks.index('due').openCursor(upTo)
    while (cursor && skip.has(cursor.value.id)) cursor = await cursor.continue()
    return cursor?.value
  }
  return {
    session: (id) => sessions.get(id),
    sessions: async () => (await sessions.getAll()).toSorted((a, b) => b.startedAtMs - a.startedAtMs),
    openSessions: () => sessions.index('open').getAll(),
    chunk: (id) => chunks.get(id),
    chunksOf: (id) => chunks.index('place').getAll(placesOf(id)),
    nextDue: (nowMs, skip) => firstDue(IDBKeyRange.upperBound([nowMs, Infinity, Infinity]), skip),
    nextDueAtMs: async (skip) => (await firstDue(null, skip))?.due?.[0],
    meta: (name) => tx.objectStore('meta').get(name),
    log: async (count) => {
      const lines = []
      let cursor = await tx.objectStore('log').openCursor(null, 'prev')
      while (cursor && lines.length < count) {
        lines.push(cursor.value)
        cursor = await cursor.continue()
      }
      return lines
    },
  }
}

function writer(tx: Transaction<'readwrite'>): WriteTransaction {
  const chunks = tx.objectStore('chunks')
  const payloads = tx.objectStore('payloads')
  return {
    ...reader(tx),
    putSession: async (session) => void (await tx.objectStore('sessions').put(session)),
    putChunk: async (chunk) => void (await chunks.put(chunk)),
    putPayload: async (id, bytes) => void (await payloads.put(payloadForm(bytes), id)),
    deletePayload: (id) => payloads.delete(id),
    deleteSession: async (id) => {
      for (const key of await chunks.index('place').getAllKeys(placesOf(id))) {
        await chunks.delete(key)
        await payloads.delete(key)
      }
      await tx.objectStore('sessions').delete(id)
    },
    putMeta: async (name, value) => void (await tx.objectStore('meta').put(value, name)),
    deleteMeta: (name) => tx.objectStore('meta').delete(name),
    addLog: async (entry) => {
      const line = await tx.objectStore('log').add(entry)
      if (line % 100 === 0) await tx.objectStore('log').delete(IDBKeyRange.upperBound(line - LOG_LINES))
    },
  }
}

const placesOf = (id: SessionId) => IDBKeyRange.bound([id, 0], [id, Infinity])

/** A failure of the database in our terms; errors that are ours already pass unchanged. */
function storageError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error
  if (error instanceof DOMException) {
    if (error.name === 'QuotaExceededError')
      return new HoldfastError('storage-full', 'The device has no room for more evidence.', { cause: error })
    return new HoldfastError('storage-failed', `The database failed: ${error.message}`, { cause: error })
  }
  return HoldfastError.from(error)
}
