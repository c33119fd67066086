import { HoldfastError } from '../../src/protocol/errors.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import { DISCARD_CONFIRMATION, type SessionStart } from '../../src/protocol/messages.ts'
import { clearError, saveSession, sealKeyName, tryAgain } from './commit.ts'
import { nowOf, type Context } from './context.ts'
import type { Ending, SessionRecord } from '../core/record.ts'
import { isSettled, newSession, placeInQueue, withOpenMarker } from '../core/session.ts'
import type { WriteTransaction } from '../ports/store.ts'
import { storeChoice } from './store-choice.ts'

/**
 * Opens a session; the same start again is answered as the first time.
 *
 * @throws HoldfastError `session-exists` where another recording has this id; `bad-input` for a session that this
 *   worker shall seal and cannot, or for stores that it does not have
 */
export async function startSession(context: Context, start: SessionStart): Promise<SessionRecord> {
  const { store, transport, clock, announce, sealer } = context
  const started = await store.write(async (tx) => {
    const existing = await tx.session(start.sessionId)
    if (existing !== undefined) {
      if (beginning(existing) === beginning(start)) return existing
      throw new HoldfastError('session-exists', `Session ${start.sessionId} has begun already.`)
    }
    if (start.sealKey !== undefined && sealer === undefined)
      throw new HoldfastError(
        'bad-input',
        "seal: this worker takes sealed chunks only; start with seal: 'page'.",
      )
    storeChoice(transport, start, true)
    const session = newSession(start)
    await tx.putSession(session)
    if (start.sealKey !== undefined) await tx.putMeta(sealKeyName(session.id), start.sealKey)
    await tx.addLog({ atMs: clock.now(), sessionId: session.id, event: 'session-started', to: 'recording' })
    return session
  })
  announce(started.id)
  return started
}

/** What is fixed when a session starts, in a form that compares. */
const beginning = ({ startedAtMs, mimeType, access, stores, atLeast }: SessionRecord | SessionStart) =>
  JSON.stringify([startedAtMs, mimeType, access, stores, atLeast])

/** Ends a recording as its page asks; one that was taken for dead is whole after all. */
export async function endSession(context: Context, id: SessionId): Promise<SessionRecord> {
  return change(context, id, (tx, session) => close(tx, context, session, 'complete'))
}

/** Ends a recording whose page died; false if it had ended by itself. */
export async function interruptSession(context: Context, id: SessionId): Promise<boolean> {
  const { store, announce } = context
  const interrupted = await store.write(async (tx) => {
    const session = await tx.session(id)
    if (session?.ending !== 'recording') return false
    await close(tx, context, session, 'interrupted')
    return true
  })
  if (interrupted) announce(id)
  return interrupted
}

async function close(tx: WriteTransaction, { clock }: Context, session: SessionRecord, ending: Ending) {
  if (session.ending === ending) return session
  const closed = withOpenMarker({ ...session, ending, endedAtMs: clock.now() })
  await saveSession(tx, closed)
  await tx.addLog({
    atMs: clock.now(),
    sessionId: session.id,
    event: 'session-ended',
    from: session.ending,
    to: ending,
  })
  return closed
}

/** Stops a session's uploads and publications after what is under way; its bytes stay. */
export async function pauseSession(context: Context, id: SessionId): Promise<SessionRecord> {
  return change(context, id, (tx, session) => requeue(tx, { ...session, paused: true }))
}

/** Goes on after a pause, and tries whatever was set aside again, now. */
export async function resumeSession(context: Context, id: SessionId): Promise<SessionRecord> {
  return change(context, id, async (tx, session) => {
    const moment = nowOf(context.clock)
    await requeue(tx, { ...session, paused: false })
    const chunks = await tx.chunksOf(id)
    const resumed = clearError((await tryAgain(tx, id, chunks, session.publication, moment)) ?? session)
    await saveSession(tx, resumed)
    return resumed
  })
}

/** Stores the session, and each of its chunks with its place in the queue. */
async function requeue(tx: WriteTransaction, session: SessionRecord): Promise<SessionRecord> {
  await saveSession(tx, session)
  for (const chunk of await tx.chunksOf(session.id)) await tx.putChunk(placeInQueue(chunk, session))
  return session
}

/**
 * Forgets a session and its bytes on this device. The custody log keeps a line of it.
 *
 * @throws HoldfastError `not-confirmed` where the chain does not hold all of it and the caller did not say the word
 */
export async function discardSession(
  context: Context,
  id: SessionId,
  confirm: string | undefined,
): Promise<void> {
  const { store, clock } = context
  await store.write(async (tx) => {
    const session = await existing(tx, id)
    if (!isSettled(session) && confirm !== DISCARD_CONFIRMATION)
      throw new HoldfastError(
        'not-confirmed',
        `Session ${id} is not on the chain yet; discarding would lose it.`,
      )
    await tx.deleteSession(id)
    await tx.deleteMeta(sealKeyName(id))
    await tx.addLog({ atMs: clock.now(), sessionId: id, event: 'discarded', from: session.ending })
  })
}

async function change(
  { store, announce }: Context,
  id: SessionId,
  work: (tx: WriteTransaction, session: SessionRecord) => Promise<SessionRecord>,
): Promise<SessionRecord> {
  const changed = await store.write(async (tx) => work(tx, await existing(tx, id)))
  announce(id)
  return changed
}

async function existing(tx: WriteTransaction, id: SessionId): Promise<SessionRecord> {
  const session = await tx.session(id)
  if (session === undefined)
    throw new HoldfastError('unknown-session', `There is no session ${id} on this device.`)
  return session
}
