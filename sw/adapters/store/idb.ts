import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { ChunkId, SessionId } from '../../../src/protocol/ids.ts'
import type { ReadTransaction, Store, WriteTransaction } from '../../ports/store.ts'
import { readChunk, readSession } from '../../core/read-record.ts'
import type { SessionRecord } from '../../core/record.ts'
import { deadline } from './deadline.ts'
import { groupCommit } from './group-commit.ts'
import { payloadBytes, payloadForm } from './payload-form.ts'
import { endOf, openDatabase, resultOf } from './requests.ts'
import { SCHEMA_VERSION, SCOPES, upgrade } from './schema.ts'
import {
  LOG_LINES,
  TRIES,
  OPEN_TIMEOUT_MS,
  TRANSACTION_TIMEOUT_MS,
  SLOWEST_BYTES_PER_MS,
  GRACE_MS,
  RESERVE_BYTES,
} from './limits.ts'

/**
 * Room that is held so that it can be given up: on a full device Chromium refuses every `put`, so that no upload
 * could be written down and no space would ever come free. New bytes come in only where the reserve is, too.
 */
const RESERVE = 'reserve' as ChunkId

/**
 * Opens the worker's store on the first use, and again whenever the browser has lost it. A transaction whose
 * connection was lost runs again: its work must be repeatable, and nothing is ever deleted to get a database open.
 */
export function idbStore(name: string): Store {
  /** Lines of the custody log that this worker has added. */
  const lines = { added: 0 }
  let opened: Promise<IDBDatabase> | undefined

  const drop = (connection: Promise<IDBDatabase>) => {
    if (opened === connection) opened = undefined
    connection.then(
      (db) => db.close(),
      () => undefined,
    )
  }

  function open(): Promise<IDBDatabase> {
    if (opened) return opened
    const connection = openDatabase(name, SCHEMA_VERSION, upgrade, () => drop(connection))
    return (opened = connection)
  }

  async function run<T>(
    scope: keyof typeof SCOPES,
    mode: IDBTransactionMode,
    work: (live: Live) => Promise<T>,
    durability: IDBTransactionDurability = 'strict',
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const connection = open()
      let begun: Begun | undefined
      try {
        const db = await deadline(OPEN_TIMEOUT_MS).race(connection)
        begun = begin(db.transaction(SCOPES[scope], mode, { durability }))
        return await finish(begun, work)
      } catch (thrown) {
        const error = storageError(await causeOf(thrown, begun))
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
      stored = await run('payloads', 'readonly', ({ tx }) =>
        resultOf<Blob | ArrayBuffer | undefined>(tx.objectStore('payloads').get(id)),
      )
    } catch (cause) {
      if (HoldfastError.from(cause).code !== 'storage-failed') throw cause
      await run('payloads', 'readonly', ({ tx }) => resultOf(tx.objectStore('payloads').getKey(id)))
      throw unreadable(id, 'cannot be read', cause)
    }
    if (stored === undefined) throw unreadable(id, 'are missing')
    try {
      return await deadline(timeoutOf(sizeOf(stored))).race(payloadBytes(stored))
    } catch (cause) {
      throw unreadable(id, 'cannot be read', cause)
    }
  }

  return {
    read: (work) => run('records', 'readonly', ({ tx }) => work(reader(tx))),
    write: groupCommit(async (work, { repeatable, records } = {}) => {
      const once = () =>
        run(
          records ? 'records' : 'all',
          'readwrite',
          (live) => work(writer(live, lines)),
          repeatable ? 'relaxed' : 'strict',
        )
      try {
        return await once()
      } catch (error) {
        if (HoldfastError.from(error).code !== 'storage-full') throw error
        await run('payloads', 'readwrite', ({ tx }) => resultOf(tx.objectStore('payloads').delete(RESERVE)))
        return once()
      }
    }),
    payload: readPayload,
    close: () => opened && drop(opened),
  }
}

/** A transaction, and its end. */
interface Begun {
  readonly tx: IDBTransaction
  readonly ended: Promise<void>
}

function begin(tx: IDBTransaction): Begun {
  const ended = endOf(tx)
  // Whoever needs its end asks for it later, or not at all.
  ended.catch(() => undefined)
  return { tx, ended }
}

/** A transaction under way, and how to tell that bytes are on their way to it. */
interface Live {
  readonly tx: IDBTransaction
  expect(bytes: number): void
}

const unreadable = (id: ChunkId, what: string, cause?: unknown) =>
  new HoldfastError('payload-unreadable', `The bytes of ${id} ${what}.`, { cause })

const sizeOf = (payload: Blob | ArrayBuffer) => (payload instanceof Blob ? payload.size : payload.byteLength)

const timeoutOf = (bytes: number) => TRANSACTION_TIMEOUT_MS + bytes / SLOWEST_BYTES_PER_MS

/**
 * Runs the work and waits for the transaction's end; what was only read is known without it. A transaction that is late is
 * aborted; if it turns out to have been committed by then, that counts.
 */
async function finish<T>({ tx, ended }: Begun, work: (live: Live) => Promise<T>): Promise<T> {
  const timer = deadline(TRANSACTION_TIMEOUT_MS)
  const done = work({ tx, expect: (bytes) => timer.extend(timeoutOf(bytes)) }).then(async (result) => {
    // Not only once the browser has found that nothing more is asked.
    endNow(tx, 'commit')
    if (tx.mode !== 'readonly') await ended
    return result
  })
  try {
    return await timer.race(done)
  } catch {
    endNow(tx, 'abort')
    return deadline(GRACE_MS).race(done)
  }
}

function endNow(tx: IDBTransaction, how: 'commit' | 'abort'): void {
  try {
    tx[how]()
  } catch {
    // It has ended by itself.
  }
}

/** Ends the transaction, if it has not; why it failed is in the transaction where the browser aborted it. */
async function causeOf(thrown: unknown, begun: Begun | undefined): Promise<unknown> {
  if (begun === undefined) return thrown
  endNow(begun.tx, 'abort')
  await deadline(GRACE_MS)
    .race(begun.ended)
    .catch(() => undefined)
  return begun.tx.error ?? thrown
}

function reader(tx: IDBTransaction): ReadTransaction {
  const [sessions, chunks] = [tx.objectStore('sessions'), tx.objectStore('chunks')]
  return {
    session: async (id) => (await resultOf(sessions.getAll(id))).map(readSession)[0],
    sessions: async () =>
      (await resultOf(sessions.getAll())).map(readSession).sort((a, b) => b.startedAtMs - a.startedAtMs),
    openSessions: async () => (await resultOf(sessions.index('open').getAll())).map(readSession),
    chunk: async (id) => (await resultOf(chunks.getAll(id))).map(readChunk)[0],
    chunksOf: async (id) => (await resultOf(chunks.index('place').getAll(rangeOf(id)))).map(readChunk),
    provedChunks: async (id, from, to) =>
      (await resultOf(chunks.index('proved').getAll(rangeOf(id, from, to)))).map(readChunk),
    entries: (id, from, to) => resultOf(tx.objectStore('entries').getAll(rangeOf(id, from, to))),
    head: (id, size) => resultOf(tx.objectStore('heads').get([id, size])),
    heads: (id, from, to) =>
      resultOf(tx.objectStore('heads').getAll(IDBKeyRange.bound([id, from], [id, to], true))),
    async nextDue(part, skip) {
      // One request: a cursor would be one for each that is skipped.
      const first = await resultOf(chunks.index('due').getAll(IDBKeyRange.bound(...part), skip.size + 1))
      const next = first.find(({ id }) => !skip.has(id))
      return next && readChunk(next)
    },
    meta: (name) => resultOf(tx.objectStore('meta').get(name)),
    log: async (count) => (await resultOf(tx.objectStore('log').getAll())).reverse().slice(0, count),
  }
}

/**
 * Nothing waits for a `put` or a `delete`: what fails of them aborts the transaction. A session that was read or written
 * is known from then on, so that changes which are written together read it once.
 *
 * @param lines counts across transactions: at times the oldest lines go
 */
function writer({ tx, expect }: Live, lines: { added: number }): WriteTransaction {
  const read = reader(tx)
  const known = new Map<SessionId, Promise<SessionRecord | undefined>>()
  const chunks = tx.objectStore('chunks')
  // Not every transaction has them.
  const payloads = () => tx.objectStore('payloads')
  const put = async (store: string, value: unknown, key?: IDBValidKey) =>
    void tx.objectStore(store).put(value, key)
  const remove = async (store: string, key: IDBValidKey | IDBKeyRange) =>
    void tx.objectStore(store).delete(key)
  return {
    ...read,
    session(id) {
      const session = known.get(id) ?? read.session(id)
      known.set(id, session)
      return session
    },
    putSession(session) {
      known.set(session.id, Promise.resolve(session))
      return put('sessions', session)
    },
    putChunk: (chunk) => put('chunks', chunk),
    putPayload: async (id, bytes, posted) => {
      expect(bytes.byteLength)
      const [before, reserve] = await Promise.all(
        [id, RESERVE].map((key) => resultOf(payloads().getKey(key))),
      )
      await put('payloads', payloadForm(bytes, posted), id)
      if (before === undefined && reserve === undefined)
        await put('payloads', payloadForm(new ArrayBuffer(RESERVE_BYTES)), RESERVE)
    },
    deletePayload: (id) => remove('payloads', id),
    putEntry: (id, position, entry) => put('entries', entry, [id, position]),
    putHead: (head) => put('heads', head),
    deleteSession: async (id) => {
      known.delete(id)
      for (const key of await resultOf(chunks.index('place').getAllKeys(rangeOf(id)))) {
        await remove('chunks', key)
        await remove('payloads', key)
      }
      for (const store of ['entries', 'heads']) await remove(store, rangeOf(id))
      await remove('sessions', id)
    },
    putMeta: (name, value) => put('meta', value, name),
    deleteMeta: (name) => remove('meta', name),
    addLog: async (entry) => {
      const adding = tx.objectStore('log').add(entry)
      if (lines.added++ % 100 > 0) return
      await remove('log', IDBKeyRange.upperBound(Number(await resultOf(adding)) - LOG_LINES))
    },
  }
}

/** What has this session and a number from `from` to before `to` in its key. */
const rangeOf = (id: SessionId, from = 0, to = Infinity) =>
  IDBKeyRange.bound([id, from], [id, to], false, true)

/** A failure of the database in our terms; errors that are ours already pass unchanged. */
function storageError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error
  if (error instanceof DOMException) {
    if (error.name === 'QuotaExceededError')
      return new HoldfastError('storage-full', 'The device is full.', { cause: error })
    const what =
      error.name === 'VersionError'
        ? 'Reload: the database is newer.'
        : `The database failed: ${error.message}`
    return new HoldfastError('storage-failed', what, { cause: error })
  }
  return HoldfastError.from(error)
}
