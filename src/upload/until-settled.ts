import type { Holdfast } from '../api.ts'
import { HoldfastError } from '../protocol/errors.ts'
import type { SessionId } from '../protocol/ids.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'

/**
 * Waits until all of a file is confirmed.
 *
 * @param onSeen told what the worker tells of the session
 * @throws HoldfastError `unknown-session` once it is discarded; `defect` where the device has lost a part of it that it had;
 *   `aborted` where the client was closed
 */
export async function untilSettled(
  holdfast: Holdfast,
  id: SessionId,
  signal: AbortSignal,
  onSeen: (seen: SessionSnapshot, settled: boolean) => void,
): Promise<SessionSnapshot> {
  let wasWhole = false
  for await (const { sessions } of holdfast.watch({ signal })) {
    const seen = sessions.find((each) => each.id === id)
    if (!seen) throw discarded()
    if (wasWhole && seen.missing > 0) throw notWhole()
    wasWhole = seen.ending === 'complete'
    const settled = wasWhole && seen.upload === 'confirmed'
    onSeen(seen, settled)
    if (settled) return seen
  }
  throw new HoldfastError('aborted', 'It was closed.')
}

export const discarded = () => new HoldfastError('unknown-session', 'It was discarded.')
/** The same call goes on with what is left, and brings the rest. */
export const notWhole = () => new HoldfastError('defect', 'It has lost a part.')
