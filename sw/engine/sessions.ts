import { importSigningKey } from '../../src/evidence/head.ts'
import { sessionName } from '../../src/evidence/name.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import { DISCARD_CONFIRMATION, type HandedNote, type SessionStart } from '../../src/protocol/messages.ts'
import type { SessionEnding } from '../../src/protocol/snapshot.ts'
import { change } from './change.ts'
import { reconsiderCircuits } from './circuits.ts'
import { commit } from './commit.ts'
import type { Context } from './context.ts'
import type { SessionRecord } from '../core/record.ts'
import { newSession, outlived, signingKeyName } from '../core/session.ts'
import type { SessionEvent } from '../core/session-event.ts'
import type { ReadTransaction } from '../ports/store.ts'
import { HOOK_LIMIT_MS } from './limits.ts'
import { storeChoice } from './store-choice.ts'
import { atMost } from './with-timeout.ts'

/**
 * Opens a session; the same start again is answered as the first time. Settled ones that are outlived are forgotten.
 *
 * @throws HoldfastError `session-exists` where another recording has this id; `bad-input` for a session that this
 *   worker shall seal and cannot, or for stores that it does not have
 */
export async function startSession(context: Context, start: SessionStart): Promise<SessionRecord> {
  const { store, transport, clock, announce, sealer } = context
  const name = await sessionName(start.sessionId, start.publicKey)
  const key = await importSigningKey(start.signingKey).catch(() => {
    throw new HoldfastError('bad-input', 'The field "signingKey" is malformed.')
  })
  // Not in the transaction, which would be over by then.
  const sealed =
    start.seal === 'page' ||
    (!!sealer && ((sealer.canSeal && (await atMost(clock, HOOK_LIMIT_MS, sealer.canSeal()))) ?? true))
  const started = await store.write(async (tx) => {
    const existing = await tx.session(start.sessionId)
    if (existing) {
      // Each start has a key of its own.
      if (existing.publicKey === start.publicKey) return existing
      throw new HoldfastError('session-exists', `Session ${start.sessionId} has begun.`)
    }
    if (!sealed) throw new HoldfastError('bad-input', 'There is no sealer.')
    storeChoice(transport, start, true)
    const session = newSession(start, name, context.identity)
    // Firefox keeps no keys in private windows.
    await tx
      .putMeta(signingKeyName(session.id), key)
      .catch(() => tx.putMeta(signingKeyName(session.id), start.signingKey))
    await tx.putSession(session)
    for (const { id } of outlived(await tx.sessions())) {
      await commit(context, tx, id, { type: 'discarded' })
      announce(id)
    }
    return (await commit(context, tx, session.id, { type: 'session-started' })) ?? session
  })
  announce(started.id)
  return started
}

/**
 * Ends a recording as its page asks; one that was taken for dead is whole after all.
 *
 * @param indexes how many chunks the page has cut; where some are missing here it ends as interrupted
 * @param ending what else the page knows of it
 */
export const endSession = (
  context: Context,
  id: SessionId,
  indexes?: number,
  ending: 'complete' | 'interrupted' = 'complete',
): Promise<SessionRecord> => changeExisting(context, id, { ...endOf(context, ending), indexes })

/** Ends a recording whose page died; undefined if it had ended by itself. */
export const interruptSession = (context: Context, id: SessionId): Promise<SessionRecord | undefined> =>
  change(context, id, endOf(context, 'interrupted'))

const endOf = ({ onSettled }: Context, ending: Exclude<SessionEnding, 'recording'>) =>
  ({ type: 'session-ended', ending, tell: !!onSettled }) as const

/**
 * Takes a note of its page into a session's log; the same one again is acknowledged again.
 *
 * @throws HoldfastError `unknown-session`, `session-ended`
 */
export async function noteSession(context: Context, id: SessionId, note: HandedNote): Promise<SessionRecord> {
  const session = await changeExisting(context, id, { ...note, type: 'noted' })
  if (note.index < session.notes) return session
  throw new HoldfastError('session-ended', `Session ${id} has ended.`)
}

/** Stops a session's uploads and publications after what is under way; its bytes stay. */
export const pauseSession = (context: Context, id: SessionId): Promise<SessionRecord> =>
  changeExisting(context, id, { type: 'paused' })

/** Goes on after a pause, and tries whatever is parked, now. */
export async function resumeSession(context: Context, id: SessionId): Promise<SessionRecord> {
  const session = await changeExisting(context, id, { type: 'resumed', byPerson: true })
  await reconsiderCircuits(context)
  return session
}

/** Has a session that is bound elsewhere go where this worker goes; any other one stays as it is. */
export const adoptSession = (context: Context, id: SessionId): Promise<SessionRecord> =>
  changeExisting(context, id, { type: 'adopted', here: context.identity })

/**
 * Forgets a session and its bytes on this device; one that is not there is forgotten. The custody log keeps its lines where
 * not all of it was confirmed.
 *
 * @throws HoldfastError `not-confirmed` where not all of it is confirmed, or the app is yet to be told of that, and the
 *   caller did not say the word
 */
export async function discardSession(
  context: Context,
  id: SessionId,
  confirm: string | undefined,
): Promise<void> {
  const { store, known } = context
  await store.write(async (tx) => {
    const session = await tx.session(id)
    // What is left of one whose record is lost.
    if (!session) return confirm === DISCARD_CONFIRMATION && tx.deleteSession(id)
    if (session.open !== undefined && confirm !== DISCARD_CONFIRMATION)
      throw new HoldfastError('not-confirmed', `Session ${id} is not confirmed.`)
    await commit(context, tx, id, { type: 'discarded' })
    if (session.open === undefined) await tx.forgetLog(id)
  })
  known.set(id, { paused: true, startedAtMs: 0 })
}

/** The session after this event, or as it is where the event changes nothing. */
async function changeExisting(context: Context, id: SessionId, event: SessionEvent): Promise<SessionRecord> {
  return (await change(context, id, event)) ?? context.store.read((tx) => existing(tx, id))
}

/** @throws HoldfastError `unknown-session`, of one that is damaged too: what came to it would go nowhere */
export async function existing(tx: ReadTransaction, id: SessionId): Promise<SessionRecord> {
  const session = await tx.session(id)
  if (!session || session.damaged) throw new HoldfastError('unknown-session', `There is no session ${id}.`)
  return session
}
