import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { ChunkId, SessionId } from '../../../src/protocol/ids.ts'
import { OwnError } from '../../ports/own-error.ts'
import type { ReadTransaction, Store, WriteTransaction } from '../../ports/store.ts'
import { readChunk, readSession } from '../../core/read-record.ts'
import type { LogEntry, SessionRecord } from '../../core/record.ts'
import { deadline, type Deadline } from './deadline.ts'
import { groupCommit } from './group-commit.ts'
import { keepsBlobs, payloadForm } from './payload-form.ts'
import { endOf, openDatabase, resultOf } from './idb-requests.ts'
import { createQueue, type Place } from './queue.ts'
import { ALL, PAYLOADS, RECORDS } from './schema.ts'
import { turnLogOver } from './turn-log-over.ts'
import {
  LINGER_MS,
  LOG_GROUPS,
  LOG_LEFT,
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
  /** The number of what was added last to the custody log. */
  const log = { newest: 1 }
  const queue = createQueue()
  let opened: Promise<IDBDatabase> | undefined

  const drop = (connection: Promise<IDBDatabase>) => {
    if (opened === connection) opened = undefined
    connection.then(
      (db) => db.close(),
      () => undefined,
    )
  }

  const lose = () => opened && drop(opened)

  /** Once in a worker's life, so that what it writes is not lost by how a browser ended before. */
  let turned: Promise<void> | undefined

  /** @param scope what it may touch: the less, the more go on beside it */
  async function run<T>(
    scope: readonly string[],
    mode: IDBTransactionMode,
    work: Work<T>,
    durability: IDBTransactionDurability = 'strict',
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const connection = (opened ??= openDatabase(name, lose))
      let isOpen = false
      try {
        const db = await deadline(OPEN_TIMEOUT_MS * attempt).race(connection)
        isOpen = true
        return await finish(db.transaction(scope, mode, { durability }), work)
      } catch (thrown) {
        const error = storageError(thrown)
        const isLost = error.code === 'storage-failed'
        // One that was not opened, on a full device too, is opened anew.
        if (isLost || !isOpen) drop(connection)
        if (!isLost || attempt === TRIES) throw error
      }
    }
  }

  /** One request about the bytes alone. */
  const ask = <T>(mode: IDBTransactionMode, request: (payloads: IDBObjectStore) => IDBRequest<T>) =>
    run(PAYLOADS, mode, (tx) => resultOf(request(tx.objectStore('payloads'))))

  /** What keeps the bytes. */
  async function find(id: ChunkId): Promise<Blob | ArrayBuffer> {
    const found: Blob | ArrayBuffer | undefined = await ask('readonly', (payloads) => payloads.get(id))
    if (!found) throw new OwnError('payload-unreadable', `Chunk ${id} has no bytes.`)
    return found
  }

  return {
    read: (work) => run(RECORDS, 'readonly', (tx) => work(reader(tx, queue))),
    write: groupCommit(async (work, { repeatable, records } = {}) => {
      const places: Place[] = []
      const once = async () => {
        const result = await run(
          records ? RECORDS : ALL,
          'readwrite',
          (tx, timer) => writeIn(tx, timer, log, places, work),
          repeatable ? 'relaxed' : 'strict',
        )
        if (keepsBlobs()) turned ??= turnLogOver(`${name}-turn`).catch(() => undefined)
        return result
      }
      try {
        return await once()
      } catch (error) {
        if ((error as HoldfastError).code !== 'storage-full') throw error
        await ask('readwrite', (payloads) => payloads.delete(RESERVE))
        return await once()
      } finally {
        queue.add(places)
      }
    }, LINGER_MS),
    async payload(id) {
      const stored = await find(id)
      return stored instanceof Blob ? stored.arrayBuffer() : stored
    },
    ...(keepsBlobs() && {
      async blob(id) {
        const kept = await find(id)
        return kept instanceof Blob ? kept : undefined
      },
    }),
    close: lose,
  }
}

/** What a transaction does, and its time. */
type Work<T> = (tx: IDBTransaction, timer: Deadline) => Promise<T>

/**
 * Runs the work and waits for the transaction's end; what was only read is known without it. A transaction that is late is
 * aborted; if it turns out to have been committed by then, that counts.
 */
async function finish<T>(tx: IDBTransaction, work: Work<T>): Promise<T> {
  const ended = endOf(tx)
  // Whoever needs its end asks for it later, or not at all.
  ended.catch(() => undefined)
  const timer = deadline(TRANSACTION_TIMEOUT_MS)
  const done = work(tx, timer).then(async (result) => {
    // Not only once the browser has found that nothing more is asked.
    endNow(tx, 'commit')
    if (tx.mode !== 'readonly') await ended
    return result
  })
  try {
    return await timer.race(done)
  } catch (thrown) {
    endNow(tx, 'abort')
    const committed = ended.then(() => done)
    return deadline(GRACE_MS)
      .race(committed)
      .catch(() => {
        // Why is in the transaction where the browser aborted it.
        throw tx.error ?? thrown
      })
  }
}

function endNow(tx: IDBTransaction, how: 'commit' | 'abort'): void {
  try {
    tx[how]()
  } catch {
    // It has ended by itself.
  }
}

function reader(tx: IDBTransaction, queue = createQueue()): ReadTransaction {
  const store = (name: string) => tx.objectStore(name)
  const sessions = store('sessions')
  const chunks = store('chunks')
  const all = async <T>(
    from: IDBObjectStore | IDBIndex,
    read: (stored: T) => T,
    range?: IDBValidKey | IDBKeyRange,
    most?: number,
  ): Promise<T[]> => (await resultOf(from.getAll(range, most))).map(read)
  return {
    session: async (id) => (await all(sessions, readSession, id))[0],
    sessions: async () => (await all(sessions, readSession)).sort((a, b) => b.startedAtMs - a.startedAtMs),
    openSessions: () => all(sessions.index('open'), readSession),
    chunk: async (id) => (await all(chunks, readChunk, id))[0],
    chunkAfter: async (id) => (await all(chunks, readChunk, IDBKeyRange.lowerBound(`${id}0`), 1))[0],
    count: (id) => resultOf(chunks.count(keysOf(id))),
    chunksOf: (id) => all(chunks.index('place'), readChunk, rangeOf(id)),
    provedChunks: (id, from, to) => all(chunks.index('proved'), readChunk, rangeOf(id, from, to)),
    entries: (id, from, to) => resultOf(store('entries').getAll(rangeOf(id, from, to))),
    head: (id, size) => resultOf(store('heads').get([id, size])),
    heads: (id, from, to) => resultOf(store('heads').getAll(rangeOf(id, from + 1, to + 1))),
    nextDue: queue.reader((from, to, most) =>
      all(chunks.index('due'), readChunk, IDBKeyRange.bound(from, to), most),
    ),
    meta: (name) => resultOf(store('meta').get(name)),
    // Those of one transaction together, or one as older versions wrote it.
    log: async (count) => (await resultOf(store('log').getAll())).flat().reverse().slice(0, count),
  }
}

/**
 * Does what changes the store. Nothing waits for a `put` or a `delete`: what fails of them aborts the transaction. Sessions
 * are read once, and they and lines of the custody log are written once, at its end, however many changes it has.
 *
 * @param log at times its oldest lines go
 * @param places gets the places in the queue that it writes
 */
async function writeIn<T>(
  tx: IDBTransaction,
  timer: Deadline,
  log: { newest: number },
  places: Place[],
  work: (tx: WriteTransaction) => Promise<T>,
): Promise<T> {
  const read = reader(tx)
  /** Sessions as they were before, and those that were put since. */
  const before = new Map<SessionId, ReturnType<typeof read.session>>()
  const changed = new Map<SessionId, SessionRecord>()
  let lines: LogEntry[] = []
  let putBytes = 0
  const put = async (store: string, value: unknown, key?: IDBValidKey) =>
    void tx.objectStore(store).put(value, key)
  const remove = async (store: string, key: IDBValidKey | IDBKeyRange) =>
    void tx.objectStore(store).delete(key)
  const flush = () => {
    for (const session of changed.values()) void put('sessions', session)
    if (lines.length === 0) return
    // Not all before: a look from the low end passes whatever was deleted there.
    const oldest = log.newest - LOG_GROUPS
    if (log.newest % 100 === 0) void remove('log', IDBKeyRange.bound(oldest - LOG_LEFT, oldest))
    void resultOf(tx.objectStore('log').add(lines)).then(
      (number) => (log.newest = number as number),
      () => undefined,
    )
    lines = []
  }
  const result = await work({
    ...read,
    async session(id) {
      const reading = before.get(id) ?? read.session(id)
      before.set(id, reading)
      return changed.get(id) ?? reading
    },
    sessions: () => (flush(), read.sessions()),
    async putSession(session) {
      changed.set(session.id, session)
    },
    putChunk(chunk) {
      if (chunk.due) places.push(chunk.due)
      return put('chunks', chunk)
    },
    putPayload: async (id, bytes, posted) => {
      putBytes += bytes.byteLength
      timer.endIn(TRANSACTION_TIMEOUT_MS + putBytes / SLOWEST_BYTES_PER_MS)
      const has = (key: ChunkId) => resultOf(tx.objectStore('payloads').getKey(key))
      const [reserve, own] = await Promise.all([has(RESERVE), has(id)])
      await put('payloads', payloadForm(bytes, posted), id)
      if (!reserve && !own) await put('payloads', payloadForm(new ArrayBuffer(RESERVE_BYTES)), RESERVE)
    },
    deletePayload: (id) => remove('payloads', id),
    putEntry: (id, position, entry) => put('entries', entry, [id, position]),
    putHead: (head) => put('heads', head),
    deleteSession: async (id) => {
      before.delete(id)
      changed.delete(id)
      for (const store of ['chunks', 'payloads']) await remove(store, keysOf(id))
      for (const store of ['entries', 'heads']) await remove(store, rangeOf(id))
      await remove('sessions', id)
    },
    putMeta: (name, value) => put('meta', value, name),
    deleteMeta: (name) => remove('meta', name),
    addLog: async (more) => void lines.push(...more),
    async forgetLog(id) {
      flush()
      const store = tx.objectStore('log')
      const [keys, groups] = await Promise.all([resultOf(store.getAllKeys()), resultOf(store.getAll())])
      groups.forEach((group: LogEntry | LogEntry[], at) => {
        const lines = [group].flat()
        const rest = lines.filter(({ sessionId }) => sessionId !== id)
        if (rest.length < lines.length) void put('log', rest, keys[at])
      })
    },
  })
  flush()
  return result
}

/** What has this session and a number from `from` to before `to` in its key. */
const rangeOf = (id: SessionId, from = 0, to = Infinity) =>
  IDBKeyRange.bound([id, from], [id, to], false, true)

/** The ids of a session's chunks: the character after the slash ends them. */
const keysOf = (id: SessionId) => IDBKeyRange.bound(`${id}/`, `${id}0`)

/** A failure of the database in our terms; errors that are ours already pass unchanged. */
function storageError(error: unknown): HoldfastError {
  if (!(error instanceof DOMException)) return HoldfastError.from(error)
  const { name, message } = error
  const code = name === 'QuotaExceededError' ? 'storage-full' : 'storage-failed'
  return new OwnError(code, `${name}: ${message}`, { cause: error })
}
