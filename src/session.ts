import type { AppendOptions, Group, RecordingSession, SessionOptions } from './api.ts'
import type { Connection } from './connection.ts'
import { sha256Hex } from './evidence/digest.ts'
import { importSessionKey, newSessionKey, wrapSessionKey } from './evidence/keys.ts'
import { sealChunk } from './evidence/seal.ts'
import { handOff } from './hand-off.ts'
import { requestWithRetry } from './request-with-retry.ts'
import { HoldfastError, isHoldfastError } from './protocol/errors.ts'
import { nameFor } from './protocol/names.ts'
import { isGroupId, type ChunkId, type SessionId } from './protocol/ids.ts'
import {
  DISCARD_CONFIRMATION,
  MAX_CHUNK_BYTES,
  recordingLockName,
  type HandedChunk,
} from './protocol/messages.ts'
import type { SessionSnapshot } from './protocol/snapshot.ts'
import { semaphore } from './semaphore.ts'
import { unlessAborted } from './unless-aborted.ts'

/** Bytes that sealing adds to a chunk (the GCM tag). */
const TAG_BYTES = 16

/** Chunks of one session that are sealed, or handed over, at the same time. */
const MAX_CONCURRENT_CHUNKS = 3

/**
 * Opens a recording: a fresh key wrapped for each group, and the lock whose release tells the worker of our death.
 *
 * @throws HoldfastError `bad-input`, or what the worker refuses with; the signal's reason
 */
export function openSession(connection: Connection, options: SessionOptions): Promise<RecordingSession> {
  return begin(connection, options, undefined, (ask) => askThrice(ask))
}

/** Somebody waits for an answer: a worker that was stopped with the question in its hands is asked again, twice. */
async function askThrice<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++)
    try {
      return await ask()
    } catch (error) {
      if (attempt === 3 || !isHoldfastError(error, 'worker-timeout')) throw error
    }
}

/**
 * @param continues the session that this one goes on with
 * @param untilAnswered asks for the start, which the worker knows again
 */
async function begin(
  connection: Connection,
  options: SessionOptions,
  continues: SessionId | undefined,
  untilAnswered: <Answer>(ask: () => Promise<Answer>) => Promise<Answer>,
): Promise<RecordingSession> {
  const { groups, mimeType, startedAtMs = Date.now(), seal = 'page', stores, atLeast, signal } = options
  signal?.throwIfAborted()
  checkGroups(groups)
  const id = crypto.randomUUID() as SessionId
  const rawKey = newSessionKey()
  const access = await Promise.all(
    groups.map(async ({ id: groupId, secret }) => {
      const { wrappedKey, iv } = await wrapSessionKey(rawKey, secret)
      return { groupId, wrappedKey, iv }
    }),
  )
  const sessionKey = await importSessionKey(rawKey)
  rawKey.fill(0)

  signal?.throwIfAborted()
  const release = await holdLock(nameFor(recordingLockName(id), connection.scope))
  const session = { sessionId: id, mimeType, startedAtMs, access, stores, atLeast, continues }
  const started = untilAnswered(() =>
    connection.request({
      type: 'session-start',
      session: seal === 'worker' ? { ...session, sealKey: sessionKey } : session,
    }),
  )
  try {
    await unlessAborted(signal, () => started)
  } catch (error) {
    // The lock goes last: a worker that saw it go first would take the recording for one whose page died.
    void takeBack(connection, id, started)
      .catch(() => undefined)
      .finally(release)
    throw error
  }
  const restart = () => {
    release()
    const { signal: _over, startedAtMs: _before, ...again } = options
    return begin(connection, again, id, (ask) => requestWithRetry(connection, ask))
  }
  return recordingSession(connection, id, sessionKey, seal, release, restart)
}

/** Discards a recording that nobody waits for any more, unless the worker has refused to begin it. */
async function takeBack(connection: Connection, id: SessionId, started: Promise<unknown>): Promise<void> {
  const refusal = await started.then(() => undefined, HoldfastError.from)
  if (refusal !== undefined && refusal.code !== 'worker-timeout') return
  await requestWithRetry(connection, () =>
    connection.request({ type: 'discard', sessionId: id, confirm: DISCARD_CONFIRMATION }),
  )
}

function recordingSession(
  connection: Connection,
  id: SessionId,
  sessionKey: CryptoKey,
  seal: 'page' | 'worker',
  release: () => void,
  restart: () => Promise<RecordingSession>,
): RecordingSession {
  /** What the page holds, by its promise, and why the worker refused it last. */
  const waiting = new Map<Promise<unknown>, HoldfastError | undefined>()
  const [acquireSeal, acquireHandOff] = [semaphore(MAX_CONCURRENT_CHUNKS), semaphore(MAX_CONCURRENT_CHUNKS)]
  let nextIndex = 0
  let ended = false
  let ending: Promise<SessionSnapshot> | undefined

  async function prepare(index: number, bytes: Blob, options: AppendOptions): Promise<HandedChunk> {
    const { capturedAtMs = Date.now(), durationMs = 0 } = options
    // Whole and not below zero, as the protocol wants them: a clock that is set back must cost no evidence.
    const times = { capturedAtMs: Math.round(capturedAtMs), durationMs: Math.max(0, Math.round(durationMs)) }
    const common = { sessionId: id, index, ...times }
    const releaseSeal = await acquireSeal()
    try {
      const plaintext = await readBytes(bytes)
      // Handed over is what was read here: a file may change, or its handle go bad, before the worker reads it.
      if (seal === 'worker')
        return {
          kind: 'raw',
          ...common,
          plaintextHash: await sha256Hex(plaintext),
          payload: new Blob([plaintext]),
        }
      const { ciphertext, ...sealed } = await sealChunk({ sessionKey, index, plaintext })
      return { kind: 'sealed', ...common, ...sealed, payload: new Blob([ciphertext]) }
    } finally {
      releaseSeal()
    }
  }

  async function end(): Promise<SessionSnapshot> {
    while (waiting.size > 0) await Promise.allSettled(waiting.keys())
    // A worker that dies over this would leave a recording that never ends while its page lives.
    const snapshot = await requestWithRetry(connection, () =>
      connection.request({ type: 'session-end', sessionId: id, indexes: nextIndex }),
    )
    release()
    return snapshot
  }

  return {
    id,
    get waiting() {
      return waiting.size
    },

    get stalledBy() {
      return [...waiting.values()].find((error) => error !== undefined)
    },

    async append(bytes, options = {}) {
      const { signal, capturedAtMs = Date.now() } = options
      signal?.throwIfAborted()
      if (ended) throw new HoldfastError('session-ended', 'This session was ended by its page.')
      if (bytes.size > MAX_CHUNK_BYTES - TAG_BYTES)
        throw new HoldfastError('chunk-too-large', `A chunk of ${bytes.size} bytes is over the limit.`)
      const index = nextIndex++
      const onStalled = (error: HoldfastError) => {
        waiting.set(handed, error)
        options.onStalled?.(error)
      }
      const prepareAgain = () => prepare(index, bytes, { ...options, capturedAtMs })
      const handed: Promise<ChunkId> = unlessAborted(signal, prepareAgain).then((chunk) =>
        handOff(connection, chunk, { acquire: acquireHandOff, signal, onStalled, prepareAgain }),
      )
      waiting.set(handed, undefined)
      try {
        return { id: await handed, index }
      } finally {
        waiting.delete(handed)
      }
    },

    end: ({ signal } = {}) =>
      unlessAborted(signal, () => {
        ended = true
        // What was refused is asked again by the next call.
        ending ??= end().finally(() => (ending = undefined))
        return ending
      }),

    restart,
  }
}

/** How often bytes that cannot be read are read again, and how long after the first time, ms; it doubles. */
const READS = 6
const READ_AGAIN_MS = 100

/** @throws HoldfastError `payload-unreadable` after a few seconds */
async function readBytes(bytes: Blob): Promise<ArrayBuffer> {
  for (let read = 1; ; read++)
    try {
      return await bytes.arrayBuffer()
    } catch (cause) {
      if (read === READS)
        throw new HoldfastError('payload-unreadable', 'The bytes of this chunk cannot be read.', { cause })
      await new Promise((resolve) => setTimeout(resolve, READ_AGAIN_MS * 2 ** (read - 1)))
    }
}

function checkGroups(groups: readonly Group[]): void {
  const bad = (what: string) => new HoldfastError('bad-input', `groups: ${what}`)
  if (groups.length === 0) throw bad('name at least one group, or nobody could ever open the recording.')
  if (new Set(groups.map(({ id }) => id)).size !== groups.length) throw bad('name each group once.')
  for (const { id, secret } of groups) {
    if (!isGroupId(id)) throw bad('an id is 0x and 64 lower-case hex digits; groupOf(secret) makes it.')
    if (secret.length !== 32) throw bad(`a secret has 32 bytes, not ${secret.length}.`)
  }
}

/** Holds a Web Lock until the returned function is called, or this page dies. */
function holdLock(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, () => new Promise<void>((release) => resolve(() => release())))
      .catch(reject)
  })
}
