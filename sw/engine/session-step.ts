import type { SessionId } from '../../src/protocol/ids.ts'
import { nextStep } from '../core/plan.ts'
import { change } from './change.ts'
import type { Context } from './context.ts'
import { publishStep } from './publisher.ts'

/**
 * Takes a session one step further that is no chunk's: the next trial of what is parked, or its publication's next
 * step, whichever is due first. Only a failing store rejects.
 */
export async function sessionStep(context: Context, id: SessionId, signal: AbortSignal): Promise<void> {
  const { store, clock, metered } = context
  const session = await store.read((tx) => tx.session(id))
  const step = session && nextStep(session, clock.now(), metered())
  if (step === undefined || step.dueMs > clock.now()) return
  const { kind } = step
  if (kind === 'publication') return publishStep(context, id, signal)
  await change(context, id, { type: 'trial-due', of: kind })
}
