import { openDB, type IDBPDatabase, type IDBPTransaction } from 'idb'
import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { ChunkId, SessionId } from '../../../src/protocol/ids.ts'
import type { ReadTransaction, Store, WriteTransaction } from '../../ports/store.ts'
import { payloadBytes, payloadForm } from './payload-form.ts'
import { SCHEMA_VERSION, STORES, upgrade, type Schema } from './schema.ts'

type Database = IDBPDatabase<Schema>
type Mode = 'readonly' | 'readwrite'
type Transaction<M extends Mode> = IDBPTransaction<Schema, typeof STORES, M>

/** The custody log keeps about this many lines. */
const LOG_LINES = 5_000
/** A transaction that fell with its connection is tried this often, each time on a new one. */
const TRIES = 3
/**
 * Room that is held so that it can be given up: on a full device Chromium refuses every `put`, so that no upload
 * could be written down and no space would ever come free. New bytes come in only where the reserve is, too.
 */
const RESERVE = 'reserve' as ChunkId
const RESERVE_BYTES = 4 * 1024 * 1024

/**
 * Opens the worker's store on the first use, and again whenever the browser has lost it. A transaction whose
 * connection was lost runs again: its work must be repeatable, and nothing is ever deleted to get a database open.
 */
export function idbStore(name = 'holdfast'): Store {
  let opened: Promise<Database> | undefined

  const drop = (connection: Promise<Database>) => {
    if (opened === connection) opened = undefined
    connection.then(
      (db) => db.close(),
      () => undefined,
    )
  }

  function open(): Promise<Database> {
    if (opened) return opened
    const lost = () => drop(connection)
    // A newer worker waits for its upgrade where we are `blocking`: make way, and open again at the next use.
    // Later, because a browser may also refuse by throwing at once.
    const connection = Promise.resolve().then(() =>
      openDB<Schema>(name, SCHEMA_VERSION, { upgrade, blocking: lost, terminated: lost }),
    )
    return (opened = connection)
  }

  async function run<M extends Mode, T>(mode: M, work: (tx: Transaction<M>) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const connection = open()
      let tx: Transaction<M> | undefined
      try {
        tx = (await connection).transaction(STORES, mode, { durability: 'strict' })
        const result = await work(tx)
        await tx.done
        return result
      } catch (thrown) {
        const error = storageError(await causeOf(thrown, tx))
        if (error.code !== 'storage-failed') throw error
        drop(connection)
        if (attempt === TRIES) throw error
      }
    }
  }

  return {
    read: (work) => run('readonly', (tx) => work(reader(tx))),
    write: async (work) => {
      const once = () => run('readwrite', (tx) => work(writer(tx)))
      try {
        return await once()
      } catch (error) {
        if (HoldfastError.from(error).code !== 'storage-full') throw error
        await run('readwrite', (tx) => tx.objectStore('payloads').delete(RESERVE))
        return once()
      }
    },
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
    close: () => opened && drop(opened),
  }
}

/** Ends the transaction, if it has not; why it failed is in the transaction where the browser aborted it. */
async function causeOf(thrown: unknown, tx: Transaction<Mode> | undefined): Promise<unknown> {
  try {
    tx?.abort()
  } catch {
    // It has ended by itself.
  }
  await tx?.done.catch(() => undefined)
  return tx?.error ?? thrown
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
    nextDue: (nowMs, skip, from = [-Infinity, 0, 0]) =>
      firstDue(IDBKeyRange.bound(from, [nowMs, Infinity, Infinity]), skip),
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
    putPayload: async (id, bytes) => {
      const isNew = (await payloads.getKey(id)) === undefined
      await payloads.put(payloadForm(bytes), id)
      if (isNew && (await payloads.getKey(RESERVE)) === undefined)
        await payloads.put(payloadForm(new ArrayBuffer(RESERVE_BYTES)), RESERVE)
    },
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
    const what =
      error.name === 'VersionError'
        ? 'A newer version of this app owns the database: reload its pages.'
        : `The database failed: ${error.message}`
    return new HoldfastError('storage-failed', what, { cause: error })
  }
  return HoldfastError.from(error)
}
