import { OwnError } from '../ports/own-error.ts'
import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import { readChunk, readSession } from '../core/read-record.ts'
import type { ChunkRecord, HeadRecord, LogEntry, SessionRecord } from '../core/record.ts'
import type { QueueRange, ReadTransaction, Store, WriteNeeds, WriteTransaction } from '../ports/store.ts'

/** What is on the disk. Records are never changed in place. */
export interface DiskState {
  readonly sessions: ReadonlyMap<SessionId, SessionRecord>
  readonly chunks: ReadonlyMap<ChunkId, ChunkRecord>
  readonly payloads: ReadonlyMap<ChunkId, ArrayBuffer>
  /** The log of each session. */
  readonly entries: ReadonlyMap<SessionId, readonly Uint8Array<ArrayBuffer>[]>
  /** The heads of each session, by size. */
  readonly heads: ReadonlyMap<SessionId, ReadonlyMap<number, HeadRecord>>
  readonly meta: ReadonlyMap<string, unknown>
  readonly log: readonly LogEntry[]
}

/** One complete transaction, told at the moment at which it can be read. */
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
  write<T>(
    work: (tx: WriteTransaction) => Promise<T>,
    needs?: WriteNeeds,
    ending?: () => Promise<void>,
  ): Promise<T>
  payload(id: ChunkId): Promise<ArrayBuffer>
  /** What was repeatable, and has nothing durable after it, is lost. */
  losePower(): void
  /**
   * Stored bytes change by themselves, or are gone, between two transactions; none of them tells of it.
   *
   * @param pick the chunk, and what is read instead of its bytes
   */
  rot(pick: (state: DiskState) => readonly [ChunkId, ArrayBuffer | undefined] | undefined): Promise<void>
}

/**
 * @param onCommit hears of every commit, before whoever wrote does
 * @param copies whether records are copied on their way in and out, as IndexedDB does; without, whoever changes one
 *   in place changes the disk, which no code that the compiler has seen can do
 */
export function fakeDisk(onCommit: (commit: Commit) => void = () => {}, copies = true): FakeDisk {
  const copyOf = copies ? deepCopy : same
  let state: DiskState = {
    sessions: new Map(),
    chunks: new Map(),
    payloads: new Map(),
    entries: new Map(),
    heads: new Map(),
    meta: new Map(),
    log: [],
  }
  /** As the last transaction left it that had to be durable. */
  let durable = state
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
    read: (work) => inTurn(() => work(new Reading(state, copyOf))),
    write: (work, { repeatable, records } = {}, ending = async () => {}) =>
      inTurn(async () => {
        const before = state
        const draft = new Draft(before)
        const result = await work(new Writing(draft, copyOf, records))
        await ending()
        const { sessions, chunks, payloads, entries, heads, meta, log, lines, touched } = draft
        state = {
          sessions,
          chunks,
          payloads,
          entries,
          heads,
          meta,
          log: lines.length === 0 ? log : [...log, ...lines],
        }
        if (!repeatable) durable = state
        onCommit({ before, after: state, lines, ...touched })
        return result
      }),
    payload: async (id) => {
      const bytes = state.payloads.get(id)
      if (bytes === undefined) throw new OwnError('payload-unreadable', `The bytes of ${id} are missing.`)
      return copies ? bytes.slice(0) : bytes
    },
    losePower() {
      state = durable
    },
    rot: (pick) =>
      inTurn(async () => {
        const [id, bytes] = pick(state) ?? []
        if (id === undefined) return
        const rotted = (of: DiskState): DiskState => {
          const payloads = new Map(of.payloads)
          if (bytes === undefined) payloads.delete(id)
          else payloads.set(id, bytes)
          return { ...of, payloads }
        }
        const isDurable = durable === state
        state = rotted(state)
        durable = isDurable ? state : rotted(durable)
      }),
  }
}

/** A store on such a disk: for tests that need no more of it. */
export const memoryStore = (): Store => ({ ...fakeDisk(), close: () => undefined })

/** What one transaction writes. A map is the disk's own until something is put into it, so that a write costs what it changes. */
class Draft implements DiskState {
  sessions: DiskState['sessions']
  chunks: DiskState['chunks']
  payloads: DiskState['payloads']
  entries: DiskState['entries']
  heads: DiskState['heads']
  meta: DiskState['meta']
  log: readonly LogEntry[]
  lines: LogEntry[] = []
  readonly touched = { chunks: new Set<ChunkId>(), sessions: new Set<SessionId>() }
  readonly #own = new Set<unknown>()

  constructor({ sessions, chunks, payloads, entries, heads, meta, log }: DiskState) {
    this.sessions = sessions
    this.chunks = chunks
    this.payloads = payloads
    this.entries = entries
    this.heads = heads
    this.meta = meta
    this.log = log
  }

  /** This map, to be changed. */
  own<Name extends MapName>(name: Name): Writable<DiskState[Name]> {
    const map = this[name] as Writable<DiskState[Name]>
    if (this.#own.has(map)) return map
    const copy = new Map(map as ReadonlyMap<unknown, unknown>) as Writable<DiskState[Name]>
    this.#own.add(copy)
    Object.assign(this, { [name]: copy })
    return copy
  }
}

type MapName = 'sessions' | 'chunks' | 'payloads' | 'entries' | 'heads' | 'meta'
type Writable<Of> = Of extends ReadonlyMap<infer Key, infer Value> ? Map<Key, Value> : never

type Copy = <T>(value: T) => T

const same: Copy = (value) => value

/** A copy of a record: plain objects and lists; whatever else it holds is shared. */
function deepCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((inner: unknown) => deepCopy(inner)) as T
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  const copy: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) copy[key] = deepCopy(inner)
  return copy as T
}

/** As IndexedDB compares lists: by the first number that differs; the shorter one first. */
export function compareKeys(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < a.length; at++) {
    const one = a[at] ?? 0
    const other = b[at] ?? -Infinity
    if (one !== other) return one - other
  }
  return a.length - b.length
}

/** The session's chunks, by index. */
export const chunksOf = (state: DiskState, id: SessionId): ChunkRecord[] =>
  [...state.chunks.values()].filter(({ sessionId }) => sessionId === id).toSorted((a, b) => a.index - b.index)

class Reading<State extends DiskState> implements ReadTransaction {
  protected readonly state: State
  protected readonly copyOf: Copy

  constructor(state: State, copyOf: Copy) {
    this.state = state
    this.copyOf = copyOf
  }

  async session(id: SessionId) {
    return this.copyOf(this.state.sessions.get(id))
  }

  async sessions() {
    return this.copyOf(allSessions(this.state).toSorted((a, b) => b.startedAtMs - a.startedAtMs))
  }

  async openSessions() {
    const open = allSessions(this.state).filter((session) => session.open !== undefined)
    return this.copyOf(open.toSorted((a, b) => (a.open ?? 0) - (b.open ?? 0)))
  }

  async chunk(id: ChunkId) {
    return this.copyOf(this.state.chunks.get(id))
  }

  async chunkAfter(id: SessionId | '') {
    const ids = [...this.state.chunks.keys()].filter((chunk) => chunk >= `${id}0`)
    return this.copyOf(this.state.chunks.get(ids.toSorted()[0]!))
  }

  async count(id: SessionId) {
    return chunksOf(this.state, id).length
  }

  async chunksOf(id: SessionId) {
    return this.copyOf(chunksOf(this.state, id))
  }

  async provedChunks(id: SessionId, from: number, to: number) {
    const isThere = ({ proved: [of, position] = [id, -1] }: ChunkRecord) =>
      of === id && position >= from && position < to
    const found = [...this.state.chunks.values()].filter(isThere)
    return this.copyOf(found.toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0)))
  }

  async entries(id: SessionId, from: number, to: number) {
    return (this.state.entries.get(id) ?? []).slice(from, to).map((entry) => entry.slice())
  }

  async head(id: SessionId, size: number) {
    return this.copyOf(this.state.heads.get(id)?.get(size))
  }

  async heads(id: SessionId, from: number, to: number) {
    if (from >= to) throw new RangeError('An empty range: IndexedDB refuses it.')
    const heads = [...(this.state.heads.get(id)?.values() ?? [])]
    const found = heads.filter(({ size }) => size > from && size <= to)
    return this.copyOf(found.toSorted((a, b) => a.size - b.size))
  }

  async nextDue(part: QueueRange, skip: ReadonlySet<ChunkId>) {
    return this.copyOf(firstDue(this.state, part, skip))
  }

  async meta(name: string): Promise<unknown> {
    return this.copyOf(this.state.meta.get(name))
  }

  async log(count: number): Promise<LogEntry[]> {
    return this.copyOf(this.state.log.slice(-count).toReversed())
  }
}

const allSessions = (state: DiskState) => [...state.sessions.values()]

function firstDue(
  state: DiskState,
  [from, to]: QueueRange,
  skip: ReadonlySet<ChunkId>,
): ChunkRecord | undefined {
  let found: ChunkRecord | undefined
  for (const chunk of state.chunks.values()) {
    if (chunk.due === undefined || skip.has(chunk.id)) continue
    if (compareKeys(chunk.due, from) < 0 || compareKeys(chunk.due, to) > 0) continue
    if (found?.due === undefined || compareKeys(chunk.due, found.due) < 0) found = chunk
  }
  return found
}

class Writing extends Reading<Draft> implements WriteTransaction {
  private readonly recordsOnly: boolean

  constructor(draft: Draft, copyOf: Copy, recordsOnly = false) {
    super(draft, copyOf)
    this.recordsOnly = recordsOnly
  }

  /** As IndexedDB refuses a store that is not in the transaction's scope. */
  private checkPayloads() {
    if (this.recordsOnly) throw new OwnError('storage-failed', 'This transaction has no payloads.')
  }

  async putSession(session: SessionRecord) {
    this.state.touched.sessions.add(session.id)
    // As every reader would find it; here once, because a simulation reads far more than it writes.
    this.state.own('sessions').set(session.id, readSession(this.copyOf(session)))
  }

  async putChunk(chunk: ChunkRecord) {
    for (const { id, sessionId, index } of this.state.chunks.values())
      if (id !== chunk.id && sessionId === chunk.sessionId && index === chunk.index)
        throw new OwnError('storage-failed', `${id} is in the place of ${chunk.id} already.`)
    this.state.touched.chunks.add(chunk.id)
    this.state.own('chunks').set(chunk.id, readChunk(this.copyOf(chunk)))
  }

  async putPayload(id: ChunkId, bytes: ArrayBuffer) {
    this.checkPayloads()
    this.state.touched.chunks.add(id)
    this.state.own('payloads').set(id, bytes.slice(0))
  }

  async deletePayload(id: ChunkId) {
    this.checkPayloads()
    this.state.touched.chunks.add(id)
    this.state.own('payloads').delete(id)
  }

  async putEntry(id: SessionId, position: number, entry: Uint8Array<ArrayBuffer>) {
    const entries = [...(this.state.entries.get(id) ?? [])]
    entries[position] = entry.slice()
    this.state.own('entries').set(id, entries)
  }

  async putHead(head: HeadRecord) {
    const heads = this.state.heads.get(head.sessionId)
    this.state.own('heads').set(head.sessionId, new Map(heads).set(head.size, this.copyOf(head)))
  }

  async deleteSession(id: SessionId) {
    this.checkPayloads()
    this.state.touched.sessions.add(id)
    for (const chunk of [...this.state.chunks.keys(), ...this.state.payloads.keys()]) {
      if (!chunk.startsWith(`${id}/`)) continue
      this.state.touched.chunks.add(chunk)
      this.state.own('chunks').delete(chunk)
      this.state.own('payloads').delete(chunk)
    }
    this.state.own('entries').delete(id)
    this.state.own('heads').delete(id)
    this.state.own('sessions').delete(id)
  }

  async putMeta(name: string, value: unknown) {
    this.state.own('meta').set(name, this.copyOf(value))
  }

  async deleteMeta(name: string) {
    this.state.own('meta').delete(name)
  }

  async addLog(lines: readonly LogEntry[]) {
    this.state.lines.push(...lines.map((line) => this.copyOf(line)))
  }

  async forgetLog(id: SessionId) {
    const ofOthers = ({ sessionId }: LogEntry) => sessionId !== id
    this.state.log = this.state.log.filter(ofOthers)
    this.state.lines = this.state.lines.filter(ofOthers)
  }

  override async log(count: number): Promise<LogEntry[]> {
    return this.copyOf([...this.state.log, ...this.state.lines].slice(-count).toReversed())
  }
}
