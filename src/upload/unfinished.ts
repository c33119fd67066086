import { askUpTo } from '../ask-again.ts'
import type { Holdfast, RecordingSession, WaitOptions } from '../api.ts'
import type { Client } from '../client.ts'
import { sha256Hex } from '../evidence/digest.ts'
import { x25519 } from '../evidence/x25519-pick.ts'
import { holdLock } from '../hold-lock.ts'
import { isHoldfastError } from '../protocol/errors.ts'
import type { SessionId, Sha256Hex } from '../protocol/ids.ts'
import { recordingLockName } from '../protocol/messages.ts'
import { free } from '../protocol/memory.ts'
import { nameFor } from '../protocol/names.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { readBytes } from '../read-bytes.ts'
import type { Cut } from '../session.ts'
import { ASKS, LOAD_TIMEOUT_MS } from '../timeouts.ts'
import { withTimeout } from '../with-timeout.ts'

/** A file as it is cut. */
export interface Parts {
  readonly count: number
  part(index: number): Blob
}

/** An upload of the same file that an earlier call began. */
export interface Unfinished {
  readonly session: SessionSnapshot
  /** The parts that the worker has, or all. */
  readonly handed: ReadonlySet<number>
}

/** How long the lock of a page that died may still be held, ms; another page that lives holds it for longer. */
const LOCK_WAIT_MS = 3_000

/** Calls for one file, in any page, look and begin one after the other: the next one finds what the first has begun. */
export async function oneByOne<Begun>(
  { scope }: Holdfast,
  fingerprint: Sha256Hex,
  begin: () => Promise<Begun>,
): Promise<Begun> {
  const release = await lockOf(uploadLockName(fingerprint), scope)
  return begin().finally(release)
}

/**
 * The newest upload that the same call began for the same file, and did not finish: what the worker has of it is what
 * the file has, part for part.
 */
export async function findUnfinished(
  holdfast: Holdfast,
  fingerprint: Sha256Hex,
  parts: Parts,
  options: WaitOptions,
): Promise<Unfinished | undefined> {
  for (const session of await askUpTo(ASKS, () => holdfast.sessions(options))) {
    const { id, ending, upload } = session
    if (session.fingerprint !== fingerprint || (ending === 'complete' && upload === 'confirmed')) continue
    const handed = await partsOf(holdfast, id, parts, () => true, options)
    if (handed) return { session, handed }
  }
  return undefined
}

/** Which parts the worker has of a session; undefined where one of those that are looked at is not of the file. */
export async function partsOf(
  holdfast: Holdfast,
  id: SessionId,
  parts: Parts,
  isLookedAt: (index: number) => boolean,
  options: WaitOptions = {},
): Promise<ReadonlySet<number> | undefined> {
  const chunks = await askUpTo(ASKS, () => holdfast.chunks(id, options))
  for (const { index, plaintextHash } of chunks) {
    options.signal?.throwIfAborted()
    if (!isLookedAt(index)) continue
    if (index >= parts.count) return undefined
    const bytes = await readBytes(parts.part(index))
    const found = await sha256Hex(bytes)
    free(bytes)
    if (found !== plaintextHash) return undefined
  }
  return new Set(chunks.map(({ index }) => index))
}

/** A session that this call goes on with. */
export interface TakenUp {
  /** Where it lacks parts. */
  readonly recording: RecordingSession | undefined
  readonly handed: ReadonlySet<number>
}

/**
 * Goes on with a session where its page died: holds its lock again. One that has all parts is only followed.
 *
 * @param cut which chunk is appended next, and how many there are at the end
 * @param restart begins another, where the worker has lost this one
 * @returns undefined where another page holds the lock: it lives; where the session was discarded meanwhile; or where it
 *   is of another file after all, of which the worker had no part before
 */
export async function takeUp(
  holdfast: Holdfast,
  { session, handed: known }: Unfinished,
  parts: Parts,
  cut: Cut,
  restart: () => Promise<RecordingSession>,
): Promise<TakenUp | undefined> {
  const { id, ending } = session
  const isOver = ending === 'complete'
  const agree = await withTimeout(LOAD_TIMEOUT_MS, undefined, x25519)
  const release = isOver ? () => undefined : await lockOf(recordingLockName(id), holdfast.scope)
  if (!release) return undefined
  let taken: TakenUp | undefined
  try {
    const handed = await partsOf(holdfast, id, parts, (index) => !known.has(index))
    if (handed) {
      // Its page may have paused it; and whoever resumes keeps the worker awake.
      await askUpTo(ASKS, () => holdfast.resume(id))
      const begun = { ...session, seal: 'page', agree } as const
      const recording = isOver ? undefined : (holdfast as Client).goOn(begun, release, restart, cut)
      taken = { recording, handed }
    }
  } catch (error) {
    if (!isHoldfastError(error, 'unknown-session')) throw error
  } finally {
    if (!taken) release()
  }
  return taken
}

/** Takes back a call's word to all others that it wants a session; does the work where nobody else wants that. */
export type Wish = (unlessWanted?: () => Promise<unknown>) => Promise<unknown>

/** A call's word to all others, in any page, that it wants the session. */
export async function wish({ scope }: Holdfast, id: SessionId): Promise<Wish> {
  const name = uploadLockName(id)
  const release = await lockOf(name, scope, 'shared')
  return async (unlessWanted) => {
    const released = release?.()
    // Where no lock was granted, nobody can be heard.
    if (!unlessWanted || !released) return unlessWanted?.()
    return withTimeout(LOAD_TIMEOUT_MS, undefined, async () => {
      await released
      const ifFree = (lock: Lock | null) => lock && unlessWanted()
      await navigator.locks.request(nameFor(name, scope), { ifAvailable: true }, ifFree)
    })
  }
}

/** Holds a lock that a page may have left; undefined where a page holds it. */
const lockOf = (base: string, scope: string, mode?: LockMode) =>
  holdLock(nameFor(base, scope), LOCK_WAIT_MS, undefined, mode).catch(() => undefined)

const uploadLockName = (of: Sha256Hex | SessionId) => `holdfast-upload:${of}`
