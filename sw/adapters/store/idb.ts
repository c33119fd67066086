import { openDB, type IDBPDatabase, type IDBPTransaction } from 'idb'
import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { ChunkId, SessionId } from '../../../src/protocol/ids.ts'
import type { ReadTransaction, Store, WriteTransaction } from '../../ports/store.ts'
import { readChunk, readSession } from '../../core/read-record.ts'
import { deadline } from '../deadline.ts'
import { payloadBytes, payloadForm } from './payload-form.ts'
import { SCHEMA_VERSION, STORES, upgrade, type Schema } from './schema.ts'

type Database = IDBPDatabase<Schema>
type Mode = 'readonly' | 'readwrite'
type Transaction<M extends Mode> = IDBPTransaction<Schema, typeof STORES, M>

/** The custody log keeps about this many lines. */
const LOG_LINES = 5_000
/** A transaction that fell with its connection is tried this often, each time on a new one. */
const TRIES = 3
/** A database that has not opened by then is asked again on a new connection, ms. */
const OPEN_TIMEOUT_MS = 10_000
/** A transaction has so long between two signs of life: its first request, each payload, its end; ms. */
const TRANSACTION_TIMEOUT_MS = 20_000
/** The slowest device that is waited for, bytes per ms. */
const SLOWEST_BYTES_PER_MS = 500
/** What is late is given up, and has so long to say that it was committed all the same, ms. */
const GRACE_MS = 2_000
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
export function idbStore(name: string): Store {
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

  async function run<M extends Mode, T>(mode: M, work: (tx: Live<M>) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const connection = open()
      let tx: Transaction<M> | undefined
      try {
        const db = await deadline(OPEN_TIMEOUT_MS, LATE).race(connection)
        tx = db.transaction(STORES, mode, { durability: 'strict' })
        return await finish(tx, work)
      } catch (thrown) {
        const error = storageError(await causeOf(thrown, tx))
        if (error.code !== 'storage-failed') throw error
        drop(connection)
        if (attempt === TRIES) throw error
      }
    }
  }

  /** Reads bytes; where that fails, a key that can be read beside them tells that the database is well. */
  async function readPayload(id: ChunkId): Promise<ArrayBuffer> {
    let stored: Blob | ArrayBuffer | undefined
    try {
      stored = await run('readonly', async ({ tx }) => {
        const payloads = tx.objectStore('payloads')
        return payloads.get(id).catch((cause: unknown) => {
          throw ITEM_FAILURES.has(nameOf(cause)) ? unreadable(id, 'cannot be read', cause) : cause
        })
      })
    } catch (cause) {
      if (HoldfastError.from(cause).code !== 'storage-failed') throw cause
      await run('readonly', ({ tx }) => tx.objectStore('payloads').getKey(id))
      throw unreadable(id, 'cannot be read', cause)
    }
    if (stored === undefined) throw unreadable(id, 'are missing')
    try {
      return await deadline(timeoutOf(sizeOf(stored)), LATE).race(payloadBytes(stored))
    } catch (cause) {
      throw unreadable(id, 'cannot be read', cause)
    }
  }

  return {
    read: (work) => run('readonly', ({ tx }) => work(reader(tx))),
    write: async (work) => {
      const once = () => run('readwrite', (live) => work(writer(live)))
      try {
        return await once()
      } catch (error) {
        if (HoldfastError.from(error).code !== 'storage-full') throw error
        await run('readwrite', ({ tx }) => tx.objectStore('payloads').delete(RESERVE))
        return once()
      }
    },
    payload: readPayload,
    close: () => opened && drop(opened),
  }
}

/** A transaction under way, and how to tell that bytes are on their way to it. */
interface Live<M extends Mode> {
  readonly tx: Transaction<M>
  expect(bytes: number): void
}

const LATE = () => new HoldfastError('storage-failed', 'The database does not answer.')

/** Names of `DOMException`s that tell of one value that cannot be read, and not of the database. */
const ITEM_FAILURES: ReadonlySet<string> = new Set(['NotReadableError', 'DataError'])

const nameOf = (thrown: unknown) => (thrown instanceof DOMException ? thrown.name : '')

const unreadable = (id: ChunkId, what: string, cause?: unknown) =>
  new HoldfastError('payload-unreadable', `The bytes of ${id} ${what}.`, { cause })

const sizeOf = (payload: Blob | ArrayBuffer) => (payload instanceof Blob ? payload.size : payload.byteLength)

const timeoutOf = (bytes: number) => TRANSACTION_TIMEOUT_MS + bytes / SLOWEST_BYTES_PER_MS

/**
 * Runs the work and waits for the transaction's end. One that is late is aborted; if it turns out to have been
 * committed by then, that counts.
 */
async function finish<M extends Mode, T>(
  tx: Transaction<M>,
  work: (live: Live<M>) => Promise<T>,
): Promise<T> {
  const timer = deadline(TRANSACTION_TIMEOUT_MS, LATE)
  const ended = work({ tx, expect: (bytes) => timer.extend(timeoutOf(bytes)) }).then(async (result) => {
    await tx.done
    return result
  })
  try {
    return await timer.race(ended)
  } catch (late) {
    if (!timer.late) throw late
    endNow(tx)
    return deadline(GRACE_MS, LATE).race(ended)
  }
}

function endNow(tx: Transaction<Mode>): void {
  try {
    tx.abort()
  } catch {
    // It has ended by itself.
  }
}

/** Ends the transaction, if it has not; why it failed is in the transaction where the browser aborted it. */
async function causeOf(thrown: unknown, tx: Transaction<Mode> | undefined): Promise<unknown> {
  if (tx === undefined) return thrown
  endNow(tx)
  const ended = tx.done.catch(() => undefined)
  await deadline(GRACE_MS, LATE)
    .race(ended)
    .catch(() => undefined)
  return tx.error ?? thrown
}

function reader(tx: Transaction<Mode>): ReadTransaction {
  const sessions = tx.objectStore('sessions')
  const chunks = tx.objectStore('chunks')
  const firstDue = async (upTo: IDBKeyRange | null, skip: ReadonlySet<ChunkId>) => {
    let cursor = await chunks.index('due').openCursor(upTo)
    while (cursor && skip.has(cursor.value.id)) cursor = await cursor.continue()
    return readChunk(cursor?.value)
  }
  return {
    session: async (id) => readSession(await sessions.get(id)),
    sessions: async () =>
      all(await sessions.getAll(), readSession).sort((a, b) => b.startedAtMs - a.startedAtMs),
    openSessions: async () => all(await sessions.index('open').getAll(), readSession),
    chunk: async (id) => readChunk(await chunks.get(id)),
    chunksOf: async (id) => all(await chunks.index('place').getAll(placesOf(id)), readChunk),
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

function writer({ tx, expect }: Live<'readwrite'>): WriteTransaction {
  const chunks = tx.objectStore('chunks')
  const payloads = tx.objectStore('payloads')
  return {
    ...reader(tx),
    putSession: async (session) => void (await tx.objectStore('sessions').put(session)),
    putChunk: async (chunk) => void (await chunks.put(chunk)),
    putPayload: async (id, bytes) => {
      expect(bytes.byteLength)
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

const all = <T>(stored: readonly unknown[], read: (one: unknown) => T | undefined): T[] =>
  stored.map(read).filter((one) => one !== undefined)

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
