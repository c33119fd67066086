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
import type { ChunkView, SessionSnapshot } from '../protocol/snapshot.ts'
import { readBytes, recordingSession, type Cut } from '../session.ts'
import { ASKS } from '../timeouts.ts'

/** A file as it is cut. */
export interface Parts {
  readonly count: number
  part(index: number): Blob
}

/** An earlier upload of the same file, of which the worker has some parts, or all. */
export interface Unfinished {
  readonly session: SessionSnapshot
  readonly chunks: readonly ChunkView[]
}

/** How long the lock of a page that died may still be held, ms; another page that lives holds it for longer. */
const LOCK_WAIT_MS = 3_000

/** Calls for one file, in any page, look and begin one after the other: the next one finds what the first has begun. */
export async function oneByOne<Begun>(
  { scope }: Holdfast,
  fingerprint: Sha256Hex,
  begin: () => Promise<Begun>,
): Promise<Begun> {
  const release = await lockOf(nameFor(`holdfast-upload:${fingerprint}`, scope))
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
    const chunks = await askUpTo(ASKS, () => holdfast.chunks(id, options))
    if (await areOf(parts, chunks, options)) return { session, chunks }
  }
  return undefined
}

async function areOf(parts: Parts, chunks: readonly ChunkView[], { signal }: WaitOptions): Promise<boolean> {
  for (const { index, plaintextHash } of chunks) {
    signal?.throwIfAborted()
    if (index >= parts.count) return false
    const bytes = await readBytes(parts.part(index))
    const found = await sha256Hex(bytes)
    free(bytes)
    if (found !== plaintextHash) return false
  }
  return true
}

/** Whether the worker has this part by now: what an earlier call had on its way may come in after all. */
export async function hasPart(
  holdfast: Holdfast,
  id: SessionId,
  parts: Parts,
  part: number,
): Promise<boolean> {
  const chunks = await askUpTo(ASKS, () => holdfast.chunks(id))
  const there = chunks.filter(({ index }) => index === part)
  return there.length > 0 && areOf(parts, there, {})
}

/** A session that this call goes on with. */
export interface TakenUp {
  /** Where it lacks parts. */
  readonly recording: RecordingSession | undefined
}

/**
 * Goes on with a session where its page died: holds its lock again. One that has all parts is only followed.
 *
 * @param cut which chunk is appended next, and how many there are at the end
 * @param restart begins another, where the worker has lost this one
 * @returns undefined where another page holds the lock: it lives; or where the session was discarded meanwhile
 */
export async function takeUp(
  holdfast: Holdfast,
  { id, name, sealingKey, ending }: SessionSnapshot,
  cut: Cut,
  restart: () => Promise<RecordingSession>,
): Promise<TakenUp | undefined> {
  const { connection } = holdfast as Client
  const isOver = ending === 'complete'
  const agree = await x25519()
  const release = isOver ? () => undefined : await lockOf(nameFor(recordingLockName(id), holdfast.scope))
  if (release === undefined) return undefined
  // Its page may have paused it; and whoever resumes keeps the worker awake.
  try {
    await askUpTo(ASKS, () => holdfast.resume(id))
  } catch (error) {
    release()
    if (isHoldfastError(error, 'unknown-session')) return undefined
    throw error
  }
  const begun = { id, name, sealingKey, seal: 'page', agree } as const
  return { recording: isOver ? undefined : recordingSession(connection, begun, release, restart, cut) }
}

/** A call's word to all others, in any page, that it wants the session. */
export interface Wish {
  /** Takes it back; does the work where nobody else wants the session. */
  end(unlessWanted?: () => Promise<unknown>): Promise<unknown>
}

export async function wish({ scope }: Holdfast, id: SessionId): Promise<Wish> {
  const name = nameFor(`holdfast-upload:${id}`, scope)
  const release = await lockOf(name, 'shared')
  return {
    async end(unlessWanted) {
      await release?.()
      if (!unlessWanted) return
      // Where no lock was granted, nobody can be heard.
      if (!release) return unlessWanted()
      await navigator.locks.request(name, { ifAvailable: true }, (lock) => lock && unlessWanted())
    },
  }
}

/** Holds a lock that a page may have left; undefined where a page holds it. */
const lockOf = (name: string, mode?: LockMode) =>
  holdLock(name, LOCK_WAIT_MS, undefined, mode).catch(() => undefined)
