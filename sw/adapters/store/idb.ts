import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { ChunkId, SessionId } from '../../../src/protocol/ids.ts'
import type { ReadTransaction, Store, WriteTransaction } from '../../ports/store.ts'
import { readChunk, readSession } from '../../core/read-record.ts'
import type { ChunkRecord, LogEntry, SessionRecord } from '../../core/record.ts'
import { deadline } from './deadline.ts'
import { groupCommit } from './group-commit.ts'
import { keepsBlobs, payloadBytes, payloadForm } from './payload-form.ts'
import { endOf, openDatabase, resultOf } from './idb-requests.ts'
import { SCHEMA_VERSION, SCOPES, upgrade } from './schema.ts'
import {
  LOG_GROUPS,
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
  let opened: Promise<IDBDatabase> | undefined

  const drop = (connection: Promise<IDBDatabase>) => {
    if (opened === connection) opened = undefined
    connection.then(
      (db) => db.close(),
      () => undefined,
    )
  }

  const lose = () => opened && drop(opened)
  const open = () => (opened ??= openDatabase(name, SCHEMA_VERSION, upgrade, lose))

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
        const db = await deadline(OPEN_TIMEOUT_MS * attempt).race(connection)
        begun = begin(db.transaction(SCOPES[scope], mode, { durability }))
        return await finish(begun, work)
      } catch (thrown) {
        const error = storageError(await causeOf(thrown, begun))
        const isLost = error.code === 'storage-failed'
        // One that was not opened, on a full device too, is opened anew.
        if (isLost || !begun) drop(connection)
        if (!isLost || attempt === TRIES) throw error
      }
    }
  }

  /** What keeps the bytes; where that fails, a key that can be read beside them tells that the database is well. */
  async function find(id: ChunkId): Promise<Blob | ArrayBuffer> {
    try {
      const found = await run('payloads', 'readonly', ({ tx }) =>
        resultOf<Blob | ArrayBuffer | undefined>(tx.objectStore('payloads').get(id)),
      )
      if (found !== undefined) return found
    } catch (cause) {
      if (HoldfastError.from(cause).code !== 'storage-failed') throw cause
      await run('payloads', 'readonly', ({ tx }) => resultOf(tx.objectStore('payloads').getKey(id)))
      throw unreadable(id, cause)
    }
    throw unreadable(id)
  }

  async function readPayload(id: ChunkId): Promise<ArrayBuffer> {
    const stored = await find(id)
    try {
      return await deadline(timeoutOf(sizeOf(stored))).race(payloadBytes(stored))
    } catch (cause) {
      throw unreadable(id, cause)
    }
  }

  return {
    read: (work) => run('records', 'readonly', ({ tx }) => work(reader(tx))),
    write: groupCommit(async (work, { repeatable, records } = {}) => {
      const once = () =>
        run(
          records ? 'records' : 'all',
          'readwrite',
          (live) => work(writer(live, log)),
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
    blob: async (id) => {
      const kept = keepsBlobs() ? await find(id) : undefined
      return kept instanceof Blob ? kept : undefined
    },
    close: lose,
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
  /** Writes what has been put off to the end. */
  flush?: () => void
}

const unreadable = (id: ChunkId, cause?: unknown) =>
  new HoldfastError('payload-unreadable', `The bytes of ${id} cannot be read.`, { cause })

const sizeOf = (payload: Blob | ArrayBuffer) => (payload instanceof Blob ? payload.size : payload.byteLength)

const timeoutOf = (bytes: number) => TRANSACTION_TIMEOUT_MS + bytes / SLOWEST_BYTES_PER_MS

/**
 * Runs the work and waits for the transaction's end; what was only read is known without it. A transaction that is late is
 * aborted; if it turns out to have been committed by then, that counts.
 */
async function finish<T>({ tx, ended }: Begun, work: (live: Live) => Promise<T>): Promise<T> {
  const timer = deadline(TRANSACTION_TIMEOUT_MS)
  const live: Live = { tx, expect: (bytes) => timer.extend(timeoutOf(bytes)) }
  const done = work(live).then(async (result) => {
    live.flush?.()
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
  /** What was read of the queue, by the part of it. */
  const queues = new Map<string, ChunkRecord[]>()
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
      const key = JSON.stringify(part)
      const nextOf = (queue: ChunkRecord[] = []) => queue.find(({ id }) => !skip.has(id))
      const next = nextOf(queues.get(key))
      if (next) return readChunk(next)
      // One request for all that are skipped, and for the next few: a cursor would be one for each.
      const range = IDBKeyRange.bound(...part)
      const queue = await resultOf(chunks.index('due').getAll(range, skip.size + 4))
      queues.set(key, queue)
      const first = nextOf(queue)
      return first && readChunk(first)
    },
    meta: (name) => resultOf(tx.objectStore('meta').get(name)),
    // Those of one transaction together, or one as older versions wrote it.
    log: async (count) => (await resultOf(tx.objectStore('log').getAll())).flat().reverse().slice(0, count),
  }
}

/**
 * Nothing waits for a `put` or a `delete`: what fails of them aborts the transaction. Sessions and values are read once,
 * and sessions and lines of the custody log are written once, by `flush`, however many changes the transaction has.
 *
 * @param log at times its oldest lines go
 */
function writer(live: Live, log: { newest: number }): WriteTransaction {
  const { tx, expect } = live
  const read = reader(tx)
  const known = new Map<string, Promise<unknown>>()
  const changed = new Map<SessionId, SessionRecord>()
  let lines: LogEntry[] = []
  const once = <T>(key: string, ask: () => Promise<T>) => {
    const answer = known.get(key) ?? ask()
    known.set(key, answer)
    return answer as Promise<T>
  }
  const chunks = tx.objectStore('chunks')
  // Not every transaction has them.
  const payloads = () => tx.objectStore('payloads')
  const put = async (store: string, value: unknown, key?: IDBValidKey) =>
    void tx.objectStore(store).put(value, key)
  const remove = async (store: string, key: IDBValidKey | IDBKeyRange) =>
    void tx.objectStore(store).delete(key)
  const flush = (live.flush = () => {
    for (const session of changed.values()) tx.objectStore('sessions').put(session)
    changed.clear()
    if (lines.length === 0) return
    if (log.newest % 100 === 0) tx.objectStore('log').delete(IDBKeyRange.upperBound(log.newest - LOG_GROUPS))
    void resultOf(tx.objectStore('log').add(lines)).then(
      (number) => (log.newest = Number(number)),
      () => undefined,
    )
    lines = []
  })
  return {
    ...read,
    session: (id) => once(id, () => read.session(id)),
    sessions: () => (flush(), read.sessions()),
    openSessions: () => (flush(), read.openSessions()),
    log: (count) => (flush(), read.log(count)),
    nextDue: (...asked) => reader(tx).nextDue(...asked),
    meta: (name) => once(name, () => read.meta(name)),
    async putSession(session) {
      known.set(session.id, Promise.resolve(session))
      changed.set(session.id, session)
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
      changed.delete(id)
      for (const key of await resultOf(chunks.index('place').getAllKeys(rangeOf(id)))) {
        await remove('chunks', key)
        await remove('payloads', key)
      }
      for (const store of ['entries', 'heads']) await remove(store, rangeOf(id))
      await remove('sessions', id)
    },
    putMeta(name, value) {
      known.delete(name)
      return put('meta', value, name)
    },
    deleteMeta(name) {
      known.delete(name)
      return remove('meta', name)
    },
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
  }
}

/** What has this session and a number from `from` to before `to` in its key. */
const rangeOf = (id: SessionId, from = 0, to = Infinity) =>
  IDBKeyRange.bound([id, from], [id, to], false, true)

/** A failure of the database in our terms; errors that are ours already pass unchanged. */
function storageError(error: unknown): HoldfastError {
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
