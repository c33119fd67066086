import { HoldfastError } from '../../src/protocol/errors.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import { nextSteps, type StepKind } from '../core/plan.ts'
import type { SessionRecord } from '../core/record.ts'
import { change } from './change.ts'
import { recordFailure } from './circuits.ts'
import type { Context } from './context.ts'
import { listStep } from './listing.ts'
import { witnessStep } from './witness.ts'

/**
 * Takes a session one step of this kind further, where it is due: a trial of what is parked, its log to the store, or
 * its newest head to the chain. Each step ends in the store, a failure too; only a failing store rejects. A step that is
 * late, because another worker has gone on meanwhile, changes nothing.
 */
export async function sessionStep(
  context: Context,
  id: SessionId,
  kind: StepKind,
  signal: AbortSignal,
): Promise<void> {
  const { store, clock, metered } = context
  const session = await store.read((tx) => tx.session(id))
  const step = session && nextSteps(session, clock.now(), metered()).find((each) => each.kind === kind)
  if (!session || !step || step.dueMs > clock.now()) return
  if (kind === 'sign-in' || kind === 'refusal') {
    await change(context, id, { type: 'trial-due', of: kind })
    return
  }
  try {
    await (kind === 'listing' ? listStep : witnessStep)(context, session, signal)
  } catch (thrown) {
    await fail(context, session, kind, HoldfastError.from(thrown))
  }
}

async function fail(
  context: Context,
  { id, listing }: SessionRecord,
  kind: 'listing' | 'witness',
  error: HoldfastError,
): Promise<void> {
  if (error.code === 'storage-failed' || error.code === 'storage-full') throw error
  const { name } = kind === 'listing' ? context.transport : context.anchor
  const failure = await recordFailure(context, name, error)
  const event = { type: 'failed', failure } as const
  if (kind === 'witness') await change(context, id, { type: kind, event })
  else if (listing) await change(context, id, { type: kind, of: listing, event })
  // Nothing was begun that could wait or park: this session is parked as a whole, and alone.
  else await change(context, id, { type: 'set-aside', error: error.toWire() })
}
