import type { AppendOptions, EndOptions, Group, RecordingSession, SessionOptions } from './api.ts'
import { askUpTo } from './ask-again.ts'
import { bad } from './bad-input.ts'
import type { Connection } from './connection.ts'
import { sha256Hex } from './evidence/digest.ts'
import { sealChunk } from './evidence/chunk-seal.ts'
import { MAX_GROUPS } from './evidence/entry.ts'
import { newSessionKeys } from './evidence/session-keys.ts'
import { x25519 } from './evidence/x25519-pick.ts'
import type { X25519 } from './evidence/x25519.ts'
import { handOff } from './hand-off.ts'
import { holdLock } from './hold-lock.ts'
import { jsonOf } from './json-of.ts'
import { APPEND, END, NOTE, optionsOf, SESSION } from './options.ts'
import { requestWithRetry } from './request-with-retry.ts'
import { asOurs, HoldfastError, isHoldfastError } from './protocol/errors.ts'
import { free, weigh } from './protocol/memory.ts'
import { nameFor } from './protocol/names.ts'
import type { SessionId, SessionName } from './protocol/ids.ts'
import {
  DISCARD_CONFIRMATION,
  MAX_CHUNK_BYTES,
  MAX_DURATION_MS,
  MAX_TIME_MS,
  recordingLockName,
  TAG_BYTES,
  type HandedChunk,
  type SessionStart,
} from './protocol/messages.ts'
import { isMimeType } from './protocol/mime-type.ts'
import type { SessionSnapshot } from './protocol/snapshot.ts'
import { readBytes, unreadable } from './read-bytes.ts'
import { semaphore } from './semaphore.ts'
import { callListener } from './call-listener.ts'
import { tryAgain } from './try-again.ts'
import { unlessAborted } from './protocol/unless-aborted.ts'
import { ASKS, LOAD_TIMEOUT_MS, LOCK_TIMEOUT_MS, MAX_CONCURRENT_CHUNKS } from './timeouts.ts'
import { withTimeout } from './with-timeout.ts'

export interface OpenOptions extends SessionOptions {
  /** For who knows beforehand how many chunks there are, and which is which. */
  readonly cut?: Cut
  /** Metadata and labels as they were when they were given, in JSON. */
  readonly given?: string | undefined
}

/**
 * Opens a recording: fresh keys, and the lock whose release tells the worker of our death.
 *
 * @throws HoldfastError `bad-input`, or what the worker refuses with; the signal's reason
 */
export const openSession = (connection: Connection, options: OpenOptions): Promise<RecordingSession> =>
  begin(connection, options).catch(asOurs(options?.signal))

/** @param continues the session that this one goes on with */
async function begin(
  connection: Connection,
  options: OpenOptions,
  continues?: SessionName,
): Promise<RecordingSession> {
  const { cut, given: earlier, ...own } = { ...options }
  // The app may use its own for the next one.
  const asked = optionsOf<SessionOptions>(own, SESSION)
  const {
    groups,
    mimeType,
    startedAtMs = Date.now(),
    seal = 'page',
    signal,
    metadata,
    labels,
    stores,
    ...others
  } = asked
  const given = earlier ?? jsonOf([metadata, labels])
  signal?.throwIfAborted()
  checkGroups(groups)
  // Nor can what a framework has made a proxy of be posted.
  const kept = { groups: [...groups], stores: stores && Array.from(stores, String) }
  if (!isMimeType(mimeType)) throw bad('mimeType', '1 to 255 bytes.')
  const id = crypto.randomUUID() as SessionId
  const agree = await withTimeout(LOAD_TIMEOUT_MS, signal, x25519)
  const { name, ...keys } = await newSessionKeys(id, kept.groups, agree)
  const plain: SessionStart = {
    sessionId: id,
    ...keys,
    mimeType,
    startedAtMs: whole(startedAtMs, MAX_TIME_MS),
    seal,
    continues,
    ...others,
    stores: kept.stores,
  }
  const session =
    metadata !== undefined || labels !== undefined
      ? await (await appData(signal)).withAppData(plain, name, asked, agree, given)
      : plain
  const release = await holdLock(nameFor(recordingLockName(id), connection.scope), LOCK_TIMEOUT_MS, signal)
  const asks = { count: 0 }
  const start = asking(connection, session, asks)
  // The worker knows a start again. For the first somebody waits.
  const started = continues ? requestWithRetry(connection, start) : askUpTo(ASKS, start)
  try {
    await unlessAborted(signal, () => started)
  } catch (error) {
    // The lock goes last: a worker that saw it go first would take the recording for one whose page died.
    void started
      .catch((refusal: unknown) => {
        // An ask before that had no answer: the worker may have done it.
        if (!isHoldfastError(refusal, 'worker-timeout') && asks.count === 1) throw refusal
      })
      .then(() => takeBack(connection, id))
      .catch(() => undefined)
      .finally(release)
    throw error
  }
  const restart = () => {
    release()
    const again = { ...asked, ...kept, given, signal: undefined, startedAtMs: Date.now() }
    // Nobody is there to press again.
    return tryAgain(() => begin(connection, again, name))
  }
  const begun = { id, name, seal, agree, sealingKey: keys.sealingKey }
  return recordingSession(connection, begun, release, restart, cut)
}

/** Few write notes or metadata, so the code of it is not in every page; a network that hangs may never bring it. */
const appData = (signal?: AbortSignal) => withTimeout(LOAD_TIMEOUT_MS, signal, () => import('./app-data.ts'))

/** How often the worker was asked. */
interface Asks {
  count: number
}

/** Apart: what lives as long as the session, made beside this, would keep the signing key with it. */
const asking = (connection: Connection, session: SessionStart, asks: Asks) => () => {
  asks.count++
  return connection.request({ type: 'session-start', session })
}

/** Discards a recording that nobody waits for any more. */
const takeBack = (connection: Connection, id: SessionId) =>
  requestWithRetry(connection, () =>
    connection.request({ type: 'discard', sessionId: id, confirm: DISCARD_CONFIRMATION }),
  )

/** How many chunks were cut: the next one's index, and what the worker is told at the end. */
export interface Cut {
  indexes: number
}

/** What a session is, for whoever hands over its chunks. */
export interface Begun {
  readonly id: SessionId
  readonly name: SessionName
  readonly sealingKey: string
  readonly seal: 'page' | 'worker'
  readonly agree: X25519
}

type UnsealedChunk = Omit<HandedChunk, 'plaintextHash' | 'payload' | 'seal'>

/** What is given to whatever asks again. */
interface Retry {
  readonly signal: AbortSignal | undefined
  readonly onStalled: (error: HoldfastError) => void
}

/**
 * Hands over the chunks of a session that the worker knows.
 *
 * @param release lets go of its lock, once it has ended
 * @param restart begins another, where the worker has lost this one
 */
export function recordingSession(
  connection: Connection,
  begun: Begun,
  release: () => unknown,
  restart: () => Promise<RecordingSession>,
  cut: Cut = { indexes: 0 },
): RecordingSession {
  const { id, name, sealingKey, seal, agree } = begun
  /** What the page holds, by its promise, and why the worker refused it last. */
  const waiting = new Map<Promise<unknown>, HoldfastError | undefined>()
  const acquireSeal = semaphore(MAX_CONCURRENT_CHUNKS)
  const acquireHandOff = semaphore(MAX_CONCURRENT_CHUNKS)
  const notes = { count: 0, acquire: semaphore(1) }
  let ended = false
  /** What was said once of its end stays so. */
  let knownEnd: EndOptions['how']
  let ending: Promise<SessionSnapshot> | undefined

  async function prepare(
    chunk: UnsealedChunk,
    bytes: Blob,
    onStalled: Retry['onStalled'],
  ): Promise<HandedChunk> {
    const releaseSeal = await acquireSeal()
    try {
      const plaintext = await readBytes(bytes, onStalled)
      // Handed over is what was read here: a file may change, or its handle go bad, before the worker reads it.
      if (seal === 'worker') {
        const plaintextHash = await tryAgain(() => sha256Hex(plaintext), onStalled)
        return { ...chunk, plaintextHash, payload: blobOf(plaintext) }
      }
      const terms = { sealingKey, name, index: chunk.index, plaintext }
      const { ciphertext, plaintextHash, ...sealed } = await tryAgain(
        () => sealChunk(terms, agree),
        onStalled,
      )
      free(plaintext)
      return { ...chunk, plaintextHash, payload: blobOf(ciphertext), seal: sealed }
    } finally {
      releaseSeal()
    }
  }

  /** Until what the page holds is handed over the session does not end. */
  async function hold<Answer>(
    { signal, onStalled }: Pick<AppendOptions, 'signal' | 'onStalled'>,
    hand: (retry: Retry) => Promise<Answer>,
  ): Promise<Answer> {
    const told = (error: HoldfastError) => {
      // Given up by its signal, it is not waited for, whatever still fails.
      if (!waiting.has(handed)) return
      waiting.set(handed, error)
      callListener(onStalled, error)
    }
    const handed = unlessAborted(signal, async () => {
      if (ended) throw new HoldfastError('session-ended', 'It has ended.')
      return hand({ signal, onStalled: told })
    })
    waiting.set(handed, undefined)
    return handed.catch(asOurs(signal)).finally(() => waiting.delete(handed))
  }

  async function end(): Promise<SessionSnapshot> {
    while (waiting.size > 0) await Promise.allSettled(waiting.keys())
    // A worker that dies over this would leave a recording that never ends while its page lives.
    // What the worker refuses to end nobody can.
    return requestWithRetry(connection, () =>
      connection.request({ type: 'session-end', sessionId: id, ...cut, how: knownEnd }),
    ).finally(release)
  }

  return {
    id,
    name,
    get waiting() {
      return waiting.size
    },

    get stalledBy() {
      return [...waiting.values()].find(Boolean)
    },

    async append(bytes, given) {
      const options = optionsOf(given, APPEND)
      const { capturedAtMs = Date.now(), durationMs } = options
      return hold(options, async ({ signal, onStalled }) => {
        // A Response has bytes of which nobody knows how many.
        if (!bytes?.arrayBuffer || !(bytes.size >= 0)) throw bad('append', 'a Blob.')
        if (bytes.size > MAX_CHUNK_BYTES - TAG_BYTES)
          throw new HoldfastError('chunk-too-large', `It has ${bytes.size} bytes.`)
        const unsealed = {
          sessionId: id,
          capturedAtMs: whole(capturedAtMs, MAX_TIME_MS),
          durationMs: whole(durationMs, MAX_DURATION_MS),
          // Once nothing else can be wrong with it.
          index: cut.indexes++,
        }
        const prepared = () => prepare(unsealed, bytes, onStalled)
        const chunk = await prepared()
        const prepareAgain = async () => {
          const again = await prepared()
          return again.plaintextHash === chunk.plaintextHash ? again : unreadable()
        }
        const retry = { acquire: acquireHandOff, signal, onStalled, prepareAgain }
        return { id: await handOff(connection, chunk, retry), index: unsealed.index }
      })
    },

    async note(value, options) {
      const { signal, atMs = Date.now() } = optionsOf(options, NOTE)
      return hold({ signal }, async (retry) => {
        const note = { value, given: jsonOf(value), atMs: whole(atMs, MAX_TIME_MS) }
        return (await appData()).handNote(connection, begun, notes, note, retry)
      })
    },

    async end(options) {
      const { signal, how } = optionsOf(options, END)
      return unlessAborted(signal, () => {
        ended = true
        knownEnd ??= how
        // What was refused is asked again by the next call.
        ending ??= end().finally(() => (ending = undefined))
        return ending
      })
    },

    restart,
  }
}

/** The bytes as a Blob alone: the buffer is gone. */
function blobOf(bytes: ArrayBuffer): Blob {
  const blob = new Blob([bytes])
  free(bytes)
  weigh(blob, 2 * blob.size)
  return blob
}

/** As the protocol wants a time: a clock that is set back, or a length that nobody knows, must cost no evidence. */
export const whole = (ms: number | undefined, max: number) =>
  Math.min(max, Math.max(0, Math.round(Number(ms)) || 0))

const GROUPS = /^([0-9a-f]{64}(,|$)){1,16}$/

/** What JavaScript callers pass may be anything. */
export function checkGroups(groups: readonly (Group | undefined)[]): void {
  const keys = Array.isArray(groups) ? groups.map((group) => group?.publicKey) : []
  if (!GROUPS.test(`${keys}`) || new Set(keys).size < keys.length)
    throw bad('groups', `1 to ${MAX_GROUPS}, each once, by 64 lower-case hex digits.`)
}
