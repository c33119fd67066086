import type { SessionId } from '../../src/protocol/ids.ts'
import { recordingLockName } from '../../src/protocol/messages.ts'
import type { SessionRecord } from '../core/record.ts'
import type { Context } from './context.ts'
import { interruptSession } from './sessions.ts'

/**
 * The dead-man switch: whoever records holds a lock; its release without an end is a death.
 *
 * @param watched the sessions whose recorders are watched
 * @param onDeath called once the session is interrupted
 */
export async function watchRecorder(
  context: Context,
  { id, ending }: SessionRecord,
  watched: Set<SessionId>,
  onDeath: () => void,
): Promise<void> {
  if (ending !== 'recording' || watched.has(id)) return
  watched.add(id)
  try {
    await context.lock.released(recordingLockName(id))
    if (await interruptSession(context, id)) onDeath()
  } catch {
    // It is watched again at the next look.
  }
  watched.delete(id)
}
