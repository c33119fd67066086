import type { EndOptions, Holdfast, RecordingSession, SessionOptions, WaitOptions } from './api.ts'
import { checkAppData, checkNote } from './app-data-check.ts'
import { checkArguments } from './arguments.ts'
import { bad } from './bad-input.ts'
import type { Client } from './client.ts'
import type { Note } from './evidence/note-seal.ts'
import { holdLock } from './hold-lock.ts'
import { madeUpAnchor, madeUpGroupId, madeUpKey, madeUpSeal } from './testing-values.ts'
import { APPEND, DISCARD, END, NOTE, optionsOf, SESSION, WAIT, WATCH } from './options.ts'
import { HoldfastError, type ErrorCode } from './protocol/errors.ts'
import { chunkIdOf, type SessionId, type SessionName } from './protocol/ids.ts'
import {
  MAX_CHUNK_BYTES,
  MAX_DURATION_MS,
  MAX_NOTES,
  MAX_TIME_MS,
  recordingLockName,
  TAG_BYTES,
} from './protocol/messages.ts'
import { nameFor } from './protocol/names.ts'
import { isMimeType } from './protocol/mime-type.ts'
import { CHUNK_STATUSES, type ChunkStatus } from './protocol/snapshot.ts'
import type {
  ChunkView,
  LogLine,
  Policy,
  SessionEnding,
  SessionSnapshot,
  SessionUpload,
} from './protocol/snapshot.ts'
import { passes } from './request-with-retry.ts'
import { checkGroups, whole, type Cut, type OpenOptions } from './session.ts'
import { callListener } from './call-listener.ts'
import { LOCK_TIMEOUT_MS } from './timeouts.ts'
import { unlessAborted } from './protocol/unless-aborted.ts'
import { watch } from './watch-memory.ts'

/**
 * A worker in memory, for an app's unit tests: nothing is sealed, stored or sent, and nothing gets on by itself. What would
 * be computed (hashes, addresses, the anchor, ids of groups) is of its form and made up. A file whose page died is begun
 * anew, unless none of it was taken.
 */
export interface FakeWorker {
  /** What `connect()` would give: the app's code under test takes it. Each page has one of its own. */
  connect(): Holdfast
  /** All bytes that were handed over, by chunk, in order. */
  readonly taken: readonly { readonly sessionId: SessionId; readonly index: number; readonly bytes: Blob }[]
  /** All notes that were written, in order. */
  readonly notes: readonly { readonly sessionId: SessionId; readonly atMs: number; readonly value: Note }[]
  /**
   * From now on chunks are refused for this reason, as a full device would; without one they are taken again, and what
   * waits is handed over. For a reason that does not pass by itself a chunk is given up.
   */
  refuse(code?: ErrorCode): void
  /** All chunks of the session, or of all, get as far as this. `confirmed` settles a session that has ended. */
  advance(to: ChunkStatus, id?: SessionId): void
  /** Work on the session does not go on, for this reason, and is tried again then; without one it goes on. */
  trouble(id: SessionId, code?: ErrorCode, retryAtMs?: number): void
  /** The page that records this session dies, or is taken for dead: one that appends after that lives. */
  interrupt(id: SessionId): void
}

/** A session as the worker has it. */
interface Kept {
  snapshot: SessionSnapshot
  readonly chunks: ChunkView[]
  /** Lets go of the lock of its page. */
  release: () => unknown
}

const SCOPE = 'https://app.example/'

/** @param now ms since the epoch, for a test that has a clock of its own */
export function fakeWorker(now: () => number = Date.now): FakeWorker {
  const kept = new Map<SessionId, Kept>()
  const taken: { sessionId: SessionId; index: number; bytes: Blob }[] = []
  const notes: { sessionId: SessionId; atMs: number; value: Note }[] = []
  let log: LogLine[] = []
  const changed = new EventTarget()
  let refusal: HoldfastError | undefined
  let policy: Policy = 'always'

  const sessionOf = (id: SessionId): Kept => {
    const found = kept.get(id)
    if (!found) throw new HoldfastError('unknown-session', `No session ${id}.`)
    return found
  }
  const tellAll = () => void changed.dispatchEvent(new Event('change'))
  const logLine = (sessionId: SessionId, event: string, more: Partial<LogLine> = {}) =>
    void log.push({ atMs: now(), sessionId, event, ...more })

  /** Changes a session, and all that follows from it. */
  function change(id: SessionId, fields: Partial<SessionSnapshot> = {}): SessionSnapshot {
    const session = sessionOf(id)
    const merged = { ...session.snapshot, ...fields }
    const totalBytes = sum(session.chunks.map(({ sizeBytes }) => sizeBytes))
    const storedBytes = sum(session.chunks.map((chunk) => chunk.storedBytes))
    session.snapshot = {
      ...merged,
      chunks: tallyOf(session.chunks),
      upload: uploadOf(session.chunks, merged.ending),
      localBytes: sum(
        session.chunks.filter((chunk) => chunk.status !== 'confirmed').map((chunk) => chunk.sizeBytes),
      ),
      progress: {
        totalBytes,
        storedBytes,
        totalMs: sum(session.chunks.map(({ durationMs }) => durationMs)),
        storedMs: sum(
          session.chunks
            .filter((chunk) => chunk.storedBytes === chunk.sizeBytes)
            .map(({ durationMs }) => durationMs),
        ),
        bytesPerSecond: 0,
      },
    }
    tellAll()
    return session.snapshot
  }

  function take(sessionId: SessionId, index: number, bytes: Blob, capturedAtMs: number, durationMs: number) {
    const id = chunkIdOf(sessionId, index)
    const at = { status: 'uploading', parked: false, storedBytes: 0, retryCount: 0 } as const
    const { chunks } = sessionOf(sessionId)
    const times = { capturedAtMs, durationMs }
    chunks.push({
      id,
      sessionId,
      index,
      sizeBytes: bytes.size,
      ...times,
      ...madeUpSeal(sessionId, index),
      ...at,
    })
    chunks.sort((a, b) => a.index - b.index)
    taken.push({ sessionId, index, bytes })
    logLine(sessionId, 'acknowledged', { index, to: 'uploading' })
    change(sessionId, { ending: 'recording' })
    return { id, index }
  }

  function recordingOf(
    { id, name }: Pick<SessionSnapshot, 'id' | 'name'>,
    release: () => unknown,
    restart: () => Promise<RecordingSession>,
    cut: Cut = { indexes: 0 },
  ): RecordingSession {
    sessionOf(id).release = release
    let waiting = 0
    let noteCount = 0
    let ended = false
    let knownEnd: EndOptions['how']
    const begun = new Set<Promise<unknown>>()
    const mayAdd = () => {
      if (ended || sessionOf(id).snapshot.ending === 'complete')
        throw new HoldfastError('session-ended', 'The session has ended.')
    }
    /** Once it is not refused any more. */
    function taking<T>(
      takes: () => T,
      onRefused: (refused: HoldfastError) => void,
      signal: AbortSignal | undefined,
    ): Promise<T> {
      const taken = (async () => {
        waiting++
        try {
          for (let refused = refusal; refused; refused = refusal) {
            if (!passes(refused.code)) throw refused
            onRefused(refused)
            await changeOf(changed, signal)
          }
          return takes()
        } finally {
          waiting--
        }
      })()
      begun.add(taken)
      return taken
    }
    return {
      id,
      name,
      get waiting() {
        return waiting
      },
      get stalledBy() {
        return waiting > 0 ? refusal : undefined
      },
      async append(bytes, options) {
        const { capturedAtMs = now(), durationMs = 0, onStalled, signal } = optionsOf(options, APPEND)
        signal?.throwIfAborted()
        // That of jsdom cannot be read, and nothing here has to read it.
        if (typeof bytes?.slice !== 'function' || !(bytes.size >= 0)) throw bad('append', 'a Blob.')
        if (bytes.size > MAX_CHUNK_BYTES - TAG_BYTES)
          throw new HoldfastError('chunk-too-large', `A chunk of ${bytes.size} bytes is over the limit.`)
        mayAdd()
        const index = cut.indexes++
        return taking(
          () => take(id, index, bytes, whole(capturedAtMs, MAX_TIME_MS), whole(durationMs, MAX_DURATION_MS)),
          (refused) => callListener(onStalled, refused),
          signal,
        )
      },
      async note(value, options) {
        const { atMs = now(), signal } = optionsOf(options, NOTE)
        signal?.throwIfAborted()
        mayAdd()
        checkNote('note', value)
        const kept = JSON.parse(JSON.stringify(value)) as Note
        if (noteCount++ >= MAX_NOTES) throw bad('note', `a session has at most ${MAX_NOTES}.`)
        await taking(
          () => {
            notes.push({ sessionId: id, atMs: whole(atMs, MAX_TIME_MS), value: kept })
            logLine(id, 'noted')
            change(id, { ending: 'recording' })
          },
          () => undefined,
          signal,
        )
      },
      async end(options) {
        const { how, signal } = optionsOf(options, END)
        return unlessAborted(signal, async () => {
          ended = true
          knownEnd ??= how
          await Promise.allSettled(begun)
          const missing = cut.indexes - sessionOf(id).chunks.length
          return endWith(id, missing === 0 ? (knownEnd ?? 'complete') : 'interrupted', missing)
        })
      },
      restart,
    }
  }

  /** As a page does: it holds a lock while it records, where there are such. */
  async function record(
    options: SessionOptions,
    cut?: Cut,
    continues?: SessionName,
  ): Promise<RecordingSession> {
    const begun = begin(options, continues)
    const lock = nameFor(recordingLockName(begun.id), SCOPE)
    const release = await holdLock(lock, LOCK_TIMEOUT_MS).catch(() => () => undefined)
    const { startedAtMs: _before, signal: _over, ...again } = options
    return recordingOf(begun, release, () => record(again, undefined, begun.name), cut)
  }

  function begin(options: SessionOptions, continues?: SessionName) {
    const { groups, mimeType, startedAtMs = now(), labels, fingerprint } = options
    const id = crypto.randomUUID() as SessionId
    const snapshot: SessionSnapshot = {
      id,
      name: madeUpKey(id) as SessionName,
      ending: 'recording',
      upload: 'publishing',
      groupIds: groups.map(madeUpGroupId),
      mimeType,
      sealingKey: madeUpKey(id),
      startedAtMs: whole(startedAtMs, MAX_TIME_MS),
      continues,
      labels,
      fingerprint,
      missing: 0,
      paused: false,
      chunks: tallyOf([]),
      parked: 0,
      localBytes: 0,
      progress: { totalBytes: 0, storedBytes: 0, totalMs: 0, storedMs: 0, bytesPerSecond: 0 },
    }
    kept.set(id, { snapshot, chunks: [], release: () => undefined })
    logLine(id, 'session-started', { to: 'recording' })
    return change(id)
  }

  function endWith(id: SessionId, ending: SessionEnding, missing = 0): SessionSnapshot {
    const { snapshot, release } = sessionOf(id)
    release()
    // Nothing follows a complete end, and what is known is not said again.
    if (snapshot.ending === 'complete') return snapshot
    if (snapshot.ending === ending && snapshot.missing === missing) return snapshot
    logLine(id, 'session-ended', { from: 'recording', to: ending })
    return change(id, { ending, missing, endedAtMs: now() })
  }

  const all = () =>
    [...kept.values()].map(({ snapshot }) => snapshot).sort((a, b) => b.startedAtMs - a.startedAtMs)

  return {
    taken,
    notes,
    refuse(code) {
      refusal = code && new HoldfastError(code, 'The test refuses.')
      tellAll()
    },
    advance(to, only) {
      for (const [id, { chunks }] of kept) {
        if (only !== undefined && only !== id) continue
        chunks.forEach((chunk, at) => {
          if (chunk.status === to) return
          logLine(id, to, { index: chunk.index, from: chunk.status, to })
          chunks[at] = {
            ...chunk,
            status: to,
            storedBytes: isStored(to) ? chunk.sizeBytes : 0,
            uploadedAtMs: isStored(to) ? (chunk.uploadedAtMs ?? now()) : undefined,
            confirmedAtMs: to === 'confirmed' ? now() : undefined,
          }
        })
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
    interrupt: (id) => void endWith(id, 'interrupted'),

    connect() {
      const closed = new AbortController()
      const client: Client = {
        goOn: recordingOf,
        scope: SCOPE,
        async startSession(given: OpenOptions) {
          return record(checked(given), given.cut)
        },
        sessions: (options) => waiting(options, all),
        chunks: ofSession((id) => [...(kept.get(id)?.chunks ?? [])]),
        bytes: (id, index, options) =>
          waiting(options, () => {
            checkArguments({ sessionId: id, index })
            const found = kept.get(id)?.chunks.find((chunk) => chunk.index === index)
            if (!found || found.status === 'confirmed')
              throw new HoldfastError('payload-unreadable', `Chunk ${id}/${index} has no bytes.`)
            return new Blob([new Uint8Array(found.sizeBytes)])
          }),
        log: ofSession((id) => log.filter(({ sessionId }) => sessionId === id)),
        watch: (options) =>
          watch(() => ({ sessions: all() }), changed, closed.signal, optionsOf(options, WATCH).signal),
        pause: ofSession((id) => change(id, { paused: true, retryAtMs: undefined })),
        resume: ofSession((id) =>
          change(id, {
            paused: false,
            lastError: undefined,
            failingSinceMs: undefined,
            retryAtMs: undefined,
          }),
        ),
        // Nothing here has a destination, so there is nothing to take over.
        adopt: ofSession((id) => change(id)),
        policy: (options) => waiting(options, () => ({ policy, metered: false })),
        setPolicy: (chosen, options) =>
          waiting(options, () => {
            checkArguments({ policy: chosen })
            policy = chosen
            return { policy, metered: false }
          }),
        async discard(id, options) {
          const { confirm, signal } = optionsOf(options, DISCARD)
          return waiting({ signal }, () => {
            checkArguments({ sessionId: id })
            const session = kept.get(id)
            if (session && session.snapshot.upload !== 'confirmed' && confirm !== 'discard-unconfirmed')
              throw new HoldfastError('not-confirmed', 'What is not confirmed would be lost.')
            kept.delete(id)
            if (session?.snapshot.upload === 'confirmed')
              log = log.filter(({ sessionId }) => sessionId !== id)
            else if (session) logLine(id, 'discarded')
            tellAll()
          })
        },
        capabilities: (options) =>
          waiting(options, () => ({
            missing: [],
            backgroundWakes: { kind: 'none' },
            storage: 'unknown',
            payloadForm: 'buffer',
            window: 'unknown',
            notifications: 'unsupported',
            push: false,
            periodicSync: 'unsupported',
            earlierDatabase: 'unknown',
            words: [],
          })),
        close: () => closed.abort(),
      }
      return client
    },
  }
}

/** A call that nothing comes of under a signal that is aborted. */
async function waiting<Answer>(given: WaitOptions | undefined, answer: () => Answer): Promise<Answer> {
  const { signal } = optionsOf(given, WAIT)
  return unlessAborted(signal, async () => answer())
}

/** The same about one session. */
const ofSession =
  <Answer>(answer: (id: SessionId) => Answer) =>
  (id: SessionId, options?: WaitOptions): Promise<Answer> =>
    waiting(options, () => {
      checkArguments({ sessionId: id })
      return answer(id)
    })

/** @throws HoldfastError `bad-input`, as the page does that is to be tested; the signal's reason */
function checked(given: OpenOptions): SessionOptions {
  // Of `upload()`.
  const { cut: _cut, given: _given, ...own } = { ...given }
  const options = optionsOf<SessionOptions>(own, SESSION)
  options.signal?.throwIfAborted()
  checkGroups(options.groups)
  if (!isMimeType(options.mimeType)) throw bad('mimeType', '1 to 255 bytes.')
  checkAppData(options)
  return options
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)
const isStored = (status: ChunkStatus) => CHUNK_STATUSES.indexOf(status) >= CHUNK_STATUSES.indexOf('uploaded')

const tallyOf = (chunks: readonly ChunkView[]) =>
  Object.fromEntries(
    CHUNK_STATUSES.map((status) => [status, chunks.filter((chunk) => chunk.status === status).length]),
  ) as Record<ChunkStatus, number>

function uploadOf(chunks: readonly ChunkView[], ending: SessionEnding): SessionUpload {
  if (chunks.some(({ status }) => !isStored(status))) return 'uploading'
  const isSettled = ending !== 'recording' && chunks.every(({ status }) => status === 'confirmed')
  return isSettled ? 'confirmed' : 'publishing'
}

/** @throws the signal's reason */
function changeOf(changed: EventTarget, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    changed.addEventListener('change', () => resolve(), { once: true })
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}
