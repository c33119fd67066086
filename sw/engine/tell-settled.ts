import { HoldfastError } from '../../src/protocol/errors.ts'
import type { SessionRecord } from '../core/record.ts'
import { sessionView } from '../core/view.ts'
import { change } from './change.ts'
import type { Context } from './context.ts'
import { limited } from './time-limit.ts'

/**
 * Tells the app that a session has settled. That it is to be told is on the disk already, that it was is written down
 * after: a death between them has it told again.
 *
 * @throws HoldfastError `completion-failed` where the app's hook rejects, whatever with; `timeout`, `aborted`
 */
export async function tellSettled(
  context: Context,
  session: SessionRecord,
  signal: AbortSignal,
): Promise<void> {
  const { clock, progress, onSettled } = context
  const { id, name, size } = session
  await limited(clock, 0, signal, async (until) => {
    const settled = { key: `${name}/${size}`, session: sessionView(session, progress), signal: until }
    try {
      await onSettled?.(settled)
    } catch (cause) {
      const { message, retryAfterMs } = HoldfastError.from(cause)
      const code = until.aborted ? 'aborted' : 'completion-failed'
      throw new HoldfastError(code, message, { cause, retryAfterMs })
    }
  })
  await change(context, id, { type: 'completion', event: { type: 'told', size } }, 'completion', false)
}
