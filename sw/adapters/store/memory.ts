import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { ChunkId, SessionId } from '../../../src/protocol/ids.ts'
import { readChunk, readSession } from '../../core/read-record.ts'
import type { ChunkRecord, DueKey, LogEntry, SessionRecord } from '../../core/record.ts'
import type { ReadTransaction, Store, WriteTransaction } from '../../ports/store.ts'

interface State {
  readonly sessions: Map<SessionId, SessionRecord>
  readonly chunks: Map<ChunkId, ChunkRecord>
  readonly payloads: Map<ChunkId, ArrayBuffer>
  readonly meta: Map<string, unknown>
  readonly log: LogEntry[]
}

/** A store in memory with IndexedDB's transactions: writers one after the other, all or nothing. For tests. */
export function memoryStore(): Store {
  let state: State = { sessions: new Map(), chunks: new Map(), payloads: new Map(), meta: new Map(), log: [] }
  let last: Promise<unknown> = Promise.resolve()

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }

  return {
    read: (work) => inTurn(() => work(reader(state))),
    write: (work) =>
      inTurn(async () => {
        const draft: State = {
          sessions: new Map(state.sessions),
          chunks: new Map(state.chunks),
          payloads: new Map(state.payloads),
          meta: new Map(state.meta),
          log: [...state.log],
        }
        const result = await work(writer(draft))
        state = draft
        return result
      }),
    payload: async (id) => {
      const bytes = state.payloads.get(id)
      if (bytes === undefined)
        throw new HoldfastError('payload-unreadable', `The bytes of ${id} are missing.`)
      return bytes.slice(0)
    },
    close: () => undefined,
  }
}

const copyAll = <T>(stored: readonly unknown[], read: (one: unknown) => T | undefined): T[] =>
  structuredClone(stored)
    .map(read)
    .filter((one) => one !== undefined)

const compareKeys = (a: DueKey, b: DueKey) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]

function reader(state: State): ReadTransaction {
  const queue = (skip: ReadonlySet<ChunkId>) =>
    [...state.chunks.values()]
      .flatMap((chunk) => (chunk.due === undefined || skip.has(chunk.id) ? [] : [{ chunk, due: chunk.due }]))
      .toSorted((a, b) => compareKeys(a.due, b.due))
  const sessions = () => copyAll([...state.sessions.values()], readSession)
  return {
    session: async (id) => readSession(structuredClone(state.sessions.get(id))),
    sessions: async () => sessions().toSorted((a, b) => b.startedAtMs - a.startedAtMs),
    openSessions: async () =>
      sessions()
        .filter(({ open }) => open !== undefined)
        .toSorted((a, b) => (a.open ?? 0) - (b.open ?? 0)),
    chunk: async (id) => readChunk(structuredClone(state.chunks.get(id))),
    chunksOf: async (id) =>
      copyAll([...state.chunks.values()], readChunk)
        .filter(({ sessionId }) => sessionId === id)
        .toSorted((a, b) => a.index - b.index),
    nextDue: async (nowMs, skip, from) =>
      readChunk(
        structuredClone(
          queue(skip).find(({ due }) => due[0] <= nowMs && (!from || compareKeys(due, from) >= 0))?.chunk,
        ),
      ),
    nextDueAtMs: async (skip) => queue(skip)[0]?.due[0],
    meta: async (name) => structuredClone(state.meta.get(name)),
    log: async (count) => structuredClone(state.log.slice(-count).toReversed()),
  }
}

function writer(state: State): WriteTransaction {
  return {
    ...reader(state),
    putSession: async (session) => void state.sessions.set(session.id, structuredClone(session)),
    putChunk: async (chunk) => {
      for (const { id, sessionId, index } of state.chunks.values())
        if (id !== chunk.id && sessionId === chunk.sessionId && index === chunk.index)
          throw new HoldfastError('storage-failed', `${id} is in the place of ${chunk.id} already.`)
      state.chunks.set(chunk.id, structuredClone(chunk))
    },
    putPayload: async (id, bytes) => void state.payloads.set(id, bytes.slice(0)),
    deletePayload: async (id) => void state.payloads.delete(id),
    deleteSession: async (id) => {
      for (const chunk of state.chunks.values()) {
        if (chunk.sessionId !== id) continue
        state.chunks.delete(chunk.id)
        state.payloads.delete(chunk.id)
      }
      state.sessions.delete(id)
    },
    putMeta: async (name, value) => void state.meta.set(name, structuredClone(value)),
    deleteMeta: async (name) => void state.meta.delete(name),
    addLog: async (entry) => void state.log.push(structuredClone(entry)),
  }
}
