import type { SessionOptions } from '../api.ts'
import type { Note } from '../evidence/note-seal.ts'
import { HoldfastError, type ErrorCode } from '../protocol/errors.ts'
import { chunkIdOf, type SessionId, type SessionName } from '../protocol/ids.ts'
import { MAX_TIME_MS } from '../protocol/messages.ts'
import {
  CHUNK_STATUSES,
  type ChunkStatus,
  type ChunkView,
  type LogLine,
  type Policy,
  type SessionEnding,
  type SessionSnapshot,
  type SessionUpload,
} from '../protocol/snapshot.ts'
import { whole } from '../session.ts'
import { madeUpAnchor, madeUpGroupId, madeUpKey, madeUpSeal } from './made-up.ts'

/** A session as the worker has it. */
export interface Kept {
  snapshot: SessionSnapshot
  readonly chunks: ChunkView[]
  /** Lets go of the lock of its page. */
  release: () => unknown
}

/** What a test's worker has instead of a database. */
export interface Memory {
  readonly now: () => number
  readonly taken: readonly { readonly sessionId: SessionId; readonly index: number; readonly bytes: Blob }[]
  readonly notes: readonly { readonly sessionId: SessionId; readonly atMs: number; readonly value: Note }[]
  /** Tells of each change, by a `change`. */
  readonly changed: EventTarget
  policy: Policy
  /** Why nothing is taken at the moment. */
  readonly refusal: HoldfastError | undefined
  refuse(code: ErrorCode | undefined): void

  find(id: SessionId): Kept | undefined
  /** @throws HoldfastError `unknown-session` */
  sessionOf(id: SessionId): Kept
  /** The newest first. */
  all(): SessionSnapshot[]
  log(id: SessionId): LogLine[]

  begin(options: SessionOptions, continues?: SessionName): SessionSnapshot
  take(id: SessionId, index: number, bytes: Blob, times: Pick<ChunkView, 'capturedAtMs' | 'durationMs'>): void
  takeNote(id: SessionId, atMs: number, value: Note): void
  /** @param missing chunks that were cut, and never handed over */
  end(id: SessionId, ending: SessionEnding, missing?: number): SessionSnapshot
  /** Changes fields of a session, and all that follows from its chunks. */
  change(id: SessionId, fields?: Partial<SessionSnapshot>): SessionSnapshot
  /** All chunks of the session, or of all, get as far as this. */
  advance(to: ChunkStatus, only?: SessionId): void
  trouble(id: SessionId, code: ErrorCode | undefined, retryAtMs: number | undefined): void
  discard(id: SessionId): void
}

export function newMemory(now: () => number): Memory {
  const kept = new Map<SessionId, Kept>()
  const taken: Memory['taken'][number][] = []
  const notes: Memory['notes'][number][] = []
  let log: LogLine[] = []
  const changed = new EventTarget()
  let refusal: HoldfastError | undefined

  const sessionOf = (id: SessionId): Kept => {
    const found = kept.get(id)
    if (!found) throw new HoldfastError('unknown-session', `No session ${id}.`)
    return found
  }
  const tellAll = () => void changed.dispatchEvent(new Event('change'))
  const logLine = (sessionId: SessionId, event: string, more: Partial<LogLine> = {}) =>
    void log.push({ atMs: now(), sessionId, event, ...more })

  function change(id: SessionId, fields: Partial<SessionSnapshot> = {}): SessionSnapshot {
    const session = sessionOf(id)
    const merged = { ...session.snapshot, ...fields }
    session.snapshot = { ...merged, ...ofChunks(session.chunks, merged.ending) }
    tellAll()
    return session.snapshot
  }

  return {
    now,
    taken,
    notes,
    changed,
    policy: 'always',
    get refusal() {
      return refusal
    },
    refuse(code) {
      refusal = code && new HoldfastError(code, 'The test refuses.')
      tellAll()
    },

    find: (id) => kept.get(id),
    sessionOf,
    all: () =>
      [...kept.values()].map(({ snapshot }) => snapshot).sort((a, b) => b.startedAtMs - a.startedAtMs),
    log: (id) => log.filter(({ sessionId }) => sessionId === id),

    begin(options, continues) {
      const snapshot = newSnapshot(options, continues, now())
      const { id } = snapshot
      kept.set(id, { snapshot, chunks: [], release: () => undefined })
      logLine(id, 'session-started', { to: 'recording' })
      return change(id)
    },
    take(id, index, bytes, times) {
      const { chunks } = sessionOf(id)
      chunks.push(newChunk(id, index, bytes.size, times))
      chunks.sort((a, b) => a.index - b.index)
      taken.push({ sessionId: id, index, bytes })
      logLine(id, 'acknowledged', { index, to: 'uploading' })
      change(id, { ending: 'recording' })
    },
    takeNote(id, atMs, value) {
      notes.push({ sessionId: id, atMs, value })
      logLine(id, 'noted')
      change(id, { ending: 'recording' })
    },
    end(id, ending, missing = 0) {
      const { snapshot, release } = sessionOf(id)
      release()
      // Nothing follows a complete end, and what is known is not said again.
      if (snapshot.ending === 'complete') return snapshot
      if (snapshot.ending === ending && snapshot.missing === missing) return snapshot
      logLine(id, 'session-ended', { from: 'recording', to: ending })
      return change(id, { ending, missing, endedAtMs: now() })
    },
    change,
    advance(to, only) {
      for (const [id, { chunks }] of kept) {
        if (only !== undefined && only !== id) continue
        for (const [at, chunk] of chunks.entries()) {
          if (chunk.status === to) continue
          logLine(id, to, { index: chunk.index, from: chunk.status, to })
          chunks[at] = advanced(chunk, to, now())
        }
        const isAnchored = to === 'confirmed' && chunks.length > 0
        change(id, isAnchored ? { anchor: madeUpAnchor(id, chunks.length, now()) } : {})
      }
    },
    trouble(id, code, retryAtMs) {
      const lastError = code && { code, message: 'The test says so.' }
      if (lastError) logLine(id, 'failed', { error: lastError })
      change(id, {
        lastError,
        failingSinceMs: code && (kept.get(id)?.snapshot.failingSinceMs ?? now()),
        retryAtMs: code && retryAtMs,
      })
    },
    discard(id) {
      const session = kept.get(id)
      kept.delete(id)
      if (session?.snapshot.upload === 'confirmed') log = log.filter(({ sessionId }) => sessionId !== id)
      else if (session) logLine(id, 'discarded')
      tellAll()
    },
  }
}

function newSnapshot(
  { groups, mimeType, startedAtMs, labels, fingerprint }: SessionOptions,
  continues: SessionName | undefined,
  nowMs: number,
): SessionSnapshot {
  const id = crypto.randomUUID() as SessionId
  return {
    id,
    name: madeUpKey(id) as SessionName,
    ending: 'recording',
    groupIds: groups.map(madeUpGroupId),
    mimeType,
    sealingKey: madeUpKey(id),
    startedAtMs: whole(startedAtMs ?? nowMs, MAX_TIME_MS),
    continues,
    labels,
    fingerprint,
    missing: 0,
    paused: false,
    parked: 0,
    ...ofChunks([], 'recording'),
  }
}

const newChunk = (
  sessionId: SessionId,
  index: number,
  sizeBytes: number,
  times: Pick<ChunkView, 'capturedAtMs' | 'durationMs'>,
): ChunkView => ({
  id: chunkIdOf(sessionId, index),
  sessionId,
  index,
  sizeBytes,
  ...times,
  ...madeUpSeal(sessionId, index),
  status: 'uploading',
  parked: false,
  storedBytes: 0,
  retryCount: 0,
})

const isStored = (status: ChunkStatus) => CHUNK_STATUSES.indexOf(status) >= CHUNK_STATUSES.indexOf('uploaded')

const advanced = (chunk: ChunkView, to: ChunkStatus, nowMs: number): ChunkView => ({
  ...chunk,
  status: to,
  storedBytes: isStored(to) ? chunk.sizeBytes : 0,
  uploadedAtMs: isStored(to) ? (chunk.uploadedAtMs ?? nowMs) : undefined,
  confirmedAtMs: to === 'confirmed' ? nowMs : undefined,
})

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)

/** What a snapshot says of the session's chunks. */
function ofChunks(chunks: readonly ChunkView[], ending: SessionEnding) {
  const whole = chunks.filter((chunk) => chunk.storedBytes === chunk.sizeBytes)
  const local = chunks.filter(({ status }) => status !== 'confirmed')
  return {
    chunks: tallyOf(chunks),
    upload: uploadOf(chunks, ending),
    localBytes: sum(local.map(({ sizeBytes }) => sizeBytes)),
    progress: {
      totalBytes: sum(chunks.map(({ sizeBytes }) => sizeBytes)),
      storedBytes: sum(chunks.map(({ storedBytes }) => storedBytes)),
      totalMs: sum(chunks.map(({ durationMs }) => durationMs)),
      storedMs: sum(whole.map(({ durationMs }) => durationMs)),
      bytesPerSecond: 0,
    },
  }
}

const tallyOf = (chunks: readonly ChunkView[]) =>
  Object.fromEntries(
    CHUNK_STATUSES.map((status) => [status, chunks.filter((chunk) => chunk.status === status).length]),
  ) as Record<ChunkStatus, number>

function uploadOf(chunks: readonly ChunkView[], ending: SessionEnding): SessionUpload {
  if (chunks.some(({ status }) => !isStored(status))) return 'uploading'
  const isSettled = ending !== 'recording' && chunks.every(({ status }) => status === 'confirmed')
  return isSettled ? 'confirmed' : 'publishing'
}
