import type { SessionRecord } from '../core/record.ts'
import { sessionView } from '../core/view.ts'
import { change } from './change.ts'
import type { Context } from './context.ts'

/**
 * Tells the app that a session has settled. That it is to be told is on the disk already, that it was is written down
 * after: a death between them has it told again.
 *
 * @throws whatever the app's hook rejects with
 */
export async function tellSettled(
  context: Context,
  session: SessionRecord,
  signal: AbortSignal,
): Promise<void> {
  const { progress, onSettled } = context
  const { id, name, size } = session
  await onSettled?.({ key: `${name}/${size}`, session: sessionView(session, progress), signal })
  await change(context, id, { type: 'completion', event: { type: 'told', size } })
}
