import { HoldfastError } from '../../src/protocol/errors.ts'
import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import type { ChunkRecord, DueKey, LogEntry, SessionRecord } from '../core/record.ts'
import type { ReadTransaction, WriteTransaction } from '../ports.ts'

/** What is on the disk. Records are never changed in place. */
export interface DiskState {
  readonly sessions: ReadonlyMap<SessionId, SessionRecord>
  readonly chunks: ReadonlyMap<ChunkId, ChunkRecord>
  readonly payloads: ReadonlyMap<ChunkId, ArrayBuffer>
  readonly meta: ReadonlyMap<string, unknown>
  readonly log: readonly LogEntry[]
}

/** One complete transaction, told at the moment at which it becomes durable. */
export interface Commit {
  readonly before: DiskState
  readonly after: DiskState
  readonly chunks: ReadonlySet<ChunkId>
  readonly sessions: ReadonlySet<SessionId>
  readonly lines: readonly LogEntry[]
}

/** A disk with IndexedDB's transactions, quick enough for thousands of runs, that tells of every commit. */
export interface FakeDisk {
  readonly state: DiskState
  read<T>(work: (tx: ReadTransaction) => Promise<T>): Promise<T>
  /** @param ending runs between the last request and the commit; if it rejects, the transaction is aborted */
  write<T>(work: (tx: WriteTransaction) => Promise<T>, ending?: () => Promise<void>): Promise<T>
  payload(id: ChunkId): Promise<ArrayBuffer>
}

/** @param onCommit hears of every commit, before whoever wrote does */
export function fakeDisk(onCommit: (commit: Commit) => void = () => {}): FakeDisk {
  let state: DiskState = {
    sessions: new Map(),
    chunks: new Map(),
    payloads: new Map(),
    meta: new Map(),
    log: [],
  }
  let last: Promise<unknown> = Promise.resolve()

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }

  return {
    get state() {
      return state
    },
    read: (work) => inTurn(() => work(reader(state))),
    write: (work, ending = async () => {}) =>
      inTurn(async () => {
        const before = state
        const draft = draftOf(before)
        const result = await work(writer(draft))
        await ending()
        const { sessions, chunks, payloads, meta, lines, touched } = draft
        const log = lines.length === 0 ? before.log : [...before.log, ...lines]
        state = { sessions, chunks, payloads, meta, log }
        onCommit({ before, after: state, lines, ...touched })
        return result
      }),
    payload: async (id) => {
      const bytes = state.payloads.get(id)
      if (bytes === undefined)
        throw new HoldfastError('payload-unreadable', `The bytes of ${id} are missing.`)
      return bytes.slice(0)
    },
  }
}

interface Draft {
  readonly sessions: Map<SessionId, SessionRecord>
  readonly chunks: Map<ChunkId, ChunkRecord>
  readonly payloads: Map<ChunkId, ArrayBuffer>
  readonly meta: Map<string, unknown>
  readonly log: readonly LogEntry[]
  readonly lines: LogEntry[]
  readonly touched: { readonly chunks: Set<ChunkId>; readonly sessions: Set<SessionId> }
}

const draftOf = ({ sessions, chunks, payloads, meta, log }: DiskState): Draft => ({
  sessions: new Map(sessions),
  chunks: new Map(chunks),
  payloads: new Map(payloads),
  meta: new Map(meta),
  log,
  lines: [],
  touched: { chunks: new Set(), sessions: new Set() },
})

/** A copy of a record: plain objects and lists; whatever else it holds is shared. */
function copyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((inner: unknown) => copyOf(inner)) as T
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  const copy: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) copy[key] = copyOf(inner)
  return copy as T
}

const compareKeys = (a: DueKey, b: DueKey) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]

function reader(state: DiskState & { readonly lines?: readonly LogEntry[] }): ReadTransaction {
  const first = (skip: ReadonlySet<ChunkId>, upToMs: number): ChunkRecord | undefined => {
    let found: ChunkRecord | undefined
    for (const chunk of state.chunks.values()) {
      if (chunk.due === undefined || chunk.due[0] > upToMs || skip.has(chunk.id)) continue
      if (found?.due === undefined || compareKeys(chunk.due, found.due) < 0) found = chunk
    }
    return found
  }
  const sessions = () => [...state.sessions.values()]
  return {
    session: async (id) => copyOf(state.sessions.get(id)),
    sessions: async () => copyOf(sessions().toSorted((a, b) => b.startedAtMs - a.startedAtMs)),
    openSessions: async () =>
      copyOf(
        sessions()
          .filter(({ open }) => open !== undefined)
          .toSorted((a, b) => (a.open ?? 0) - (b.open ?? 0)),
      ),
    chunk: async (id) => copyOf(state.chunks.get(id)),
    chunksOf: async (id) => copyOf(chunksOf(state, id)),
    nextDue: async (nowMs, skip) => copyOf(first(skip, nowMs)),
    nextDueAtMs: async (skip) => first(skip, Infinity)?.due?.[0],
    meta: async (name) => copyOf(state.meta.get(name)),
    log: async (count) => copyOf([...state.log, ...(state.lines ?? [])].slice(-count).toReversed()),
  }
}

/** The session's chunks, by index. */
export const chunksOf = (state: DiskState, id: SessionId): ChunkRecord[] =>
  [...state.chunks.values()].filter(({ sessionId }) => sessionId === id).toSorted((a, b) => a.index - b.index)

function writer(draft: Draft): WriteTransaction {
  const { touched } = draft
  return {
    ...reader(draft),
    putSession: async (session) => {
      touched.sessions.add(session.id)
      draft.sessions.set(session.id, copyOf(session))
    },
    putChunk: async (chunk) => {
      for (const { id, sessionId, index } of draft.chunks.values())
        if (id !== chunk.id && sessionId === chunk.sessionId && index === chunk.index)
          throw new HoldfastError('storage-failed', `${id} is in the place of ${chunk.id} already.`)
      touched.chunks.add(chunk.id)
      draft.chunks.set(chunk.id, copyOf(chunk))
    },
    putPayload: async (id, bytes) => {
      touched.chunks.add(id)
      draft.payloads.set(id, bytes.slice(0))
    },
    deletePayload: async (id) => {
      touched.chunks.add(id)
      draft.payloads.delete(id)
    },
    deleteSession: async (id) => {
      touched.sessions.add(id)
      for (const chunk of draft.chunks.values()) {
        if (chunk.sessionId !== id) continue
        touched.chunks.add(chunk.id)
        draft.chunks.delete(chunk.id)
        draft.payloads.delete(chunk.id)
      }
      draft.sessions.delete(id)
    },
    putMeta: async (name, value) => void draft.meta.set(name, copyOf(value)),
    deleteMeta: async (name) => void draft.meta.delete(name),
    addLog: async (entry) => void draft.lines.push(copyOf(entry)),
  }
}
