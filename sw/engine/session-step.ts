import type { SessionId } from '../../src/protocol/ids.ts'
import { nextStepMs } from '../core/plan.ts'
import { commit } from './commit.ts'
import { nowOf, type Context } from './context.ts'
import { publishStep } from './publisher.ts'

/**
 * Takes a session one step further that is no chunk's: the next trial of a refused sign-in, or its publication's next
 * step, whichever is due first. Only a failing store rejects.
 */
export async function sessionStep(context: Context, id: SessionId, signal: AbortSignal): Promise<void> {
  const { store, clock, announce } = context
  const session = await store.read((tx) => tx.session(id))
  const dueMs = session && nextStepMs(session)
  if (dueMs === undefined || dueMs > clock.now()) return
  if (dueMs !== session?.signIn?.retryAtMs) return publishStep(context, id, signal)
  await store.write((tx) => commit(tx, id, { type: 'sign-in-tried' }, nowOf(clock)))
  announce(id)
}
