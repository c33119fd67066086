import type { Holdfast, RecordingSession, SessionOptions, WaitOptions } from './api.ts'
import { checkAppData } from './app-data-check.ts'
import { checkArguments } from './arguments.ts'
import { bad } from './bad-input.ts'
import type { Client } from './client.ts'
import type { Note } from './evidence/note-seal.ts'
import { holdLock } from './hold-lock.ts'
import { DISCARD, optionsOf, SESSION, WAIT, WATCH } from './options.ts'
import { HoldfastError, type ErrorCode } from './protocol/errors.ts'
import type { SessionId, SessionName } from './protocol/ids.ts'
import { recordingLockName } from './protocol/messages.ts'
import { nameFor } from './protocol/names.ts'
import { isMimeType } from './protocol/mime-type.ts'
import type { ChunkStatus } from './protocol/snapshot.ts'
import { checkGroups, type Cut, type OpenOptions } from './session.ts'
import { newMemory, type Memory } from './testing/memory.ts'
import { recordingIn } from './testing/recording.ts'
import { watch } from './testing/watch-memory.ts'
import { LOCK_TIMEOUT_MS } from './timeouts.ts'
import { unlessAborted } from './protocol/unless-aborted.ts'

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

const SCOPE = 'https://app.example/'

/** @param now ms since the epoch, for a test that has a clock of its own */
export function fakeWorker(now: () => number = Date.now): FakeWorker {
  const memory = newMemory(now)
  return {
    taken: memory.taken,
    notes: memory.notes,
    refuse: memory.refuse,
    advance: memory.advance,
    trouble: memory.trouble,
    interrupt: (id) => void memory.end(id, 'interrupted'),
    connect: () => clientOf(memory),
  }
}

/** A page's side of the worker. */
function clientOf(memory: Memory): Client {
  const closed = new AbortController()
  return {
    goOn: (begun, ...given) => recordingIn(memory, begun, ...given),
    scope: SCOPE,
    async startSession(given: OpenOptions) {
      return record(memory, checked(given), given.cut)
    },
    sessions: (options) => waiting(options, memory.all),
    chunks: ofSession((id) => [...(memory.find(id)?.chunks ?? [])]),
    bytes: (id, index, options) =>
      waiting(options, () => {
        checkArguments({ sessionId: id, index })
        const found = memory.find(id)?.chunks.find((chunk) => chunk.index === index)
        if (!found || found.status === 'confirmed')
          throw new HoldfastError('payload-unreadable', `Chunk ${id}/${index} has no bytes.`)
        return new Blob([new Uint8Array(found.sizeBytes)])
      }),
    log: ofSession(memory.log),
    watch: (options) =>
      watch(
        () => ({ sessions: memory.all() }),
        memory.changed,
        closed.signal,
        optionsOf(options, WATCH).signal,
      ),
    pause: ofSession((id) => memory.change(id, { paused: true, retryAtMs: undefined })),
    resume: ofSession((id) =>
      memory.change(id, {
        paused: false,
        lastError: undefined,
        failingSinceMs: undefined,
        retryAtMs: undefined,
      }),
    ),
    // Nothing here has a destination, so there is nothing to take over.
    adopt: ofSession((id) => memory.change(id)),
    policy: (options) => waiting(options, () => ({ policy: memory.policy, metered: false })),
    setPolicy: (chosen, options) =>
      waiting(options, () => {
        checkArguments({ policy: chosen })
        memory.policy = chosen
        return { policy: chosen, metered: false }
      }),
    async discard(id, options) {
      const { confirm, signal } = optionsOf(options, DISCARD)
      return waiting({ signal }, () => {
        checkArguments({ sessionId: id })
        const session = memory.find(id)
        if (session && session.snapshot.upload !== 'confirmed' && confirm !== 'discard-unconfirmed')
          throw new HoldfastError('not-confirmed', 'What is not confirmed would be lost.')
        memory.discard(id)
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
}

/** As a page does: it holds a lock while it records, where there are such. */
async function record(
  memory: Memory,
  options: SessionOptions,
  cut?: Cut,
  continues?: SessionName,
): Promise<RecordingSession> {
  const begun = memory.begin(options, continues)
  const lock = nameFor(recordingLockName(begun.id), SCOPE)
  const release = await holdLock(lock, LOCK_TIMEOUT_MS).catch(() => () => undefined)
  const { startedAtMs: _before, signal: _over, ...again } = options
  return recordingIn(memory, begun, release, () => record(memory, again, undefined, begun.name), cut)
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
