import type { WorkKind } from '../core/plan.ts'
import type { SessionRecord } from '../core/record.ts'
import type { SessionEvent } from '../core/session-event.ts'
import { asRead } from './read-error.ts'
import { change } from './change.ts'
import { destinationsOf, recordAnswer, recordFailure } from './circuits.ts'
import type { AnchoredContext, Context } from './context.ts'
import { beginPage, publishPage, type Begun } from './listing.ts'
import { publishHead } from './publish-head.ts'
import { tellSettled } from './tell-settled.ts'
import { withTimeout } from './with-timeout.ts'

/**
 * Takes a session one step of this kind further, which is due: its log to the store, its newest head to the chain, or to
 * the store where there is none, or the news that it has settled to the app. Each step ends in the store, a failure too;
 * only a failing store rejects. A step that is late, because another worker has gone on meanwhile, changes nothing.
 *
 * @returns whether it went well, so that the next one may be due
 */
export async function sessionStep(
  context: Context,
  session: SessionRecord,
  kind: WorkKind,
  signal: AbortSignal,
): Promise<boolean> {
  const { anchor } = context
  let { listing } = session
  try {
    if (kind === 'listing') {
      // Where no page can be made, that costs nobody bytes.
      const begun: Begun | undefined = listing ? { session } : await asRead(() => beginPage(context, session))
      listing = begun?.session.listing
      if (begun && listing) await publishPage(context, begun.session, listing, signal, begun.bytes)
    } else if (kind === 'witness' && !anchor) await publishHead(context, session, signal)
    else {
      await withTimeout(context.clock, 0, signal, (until) =>
        kind === 'witness'
          ? anchor!.witness(context as AnchoredContext, session, until)
          : tellSettled(context, session, until),
      )
      await recordAnswer(context, destinationsOf(context)[kind])
    }
    return true
  } catch (thrown) {
    const failure = await recordFailure(context, kind, thrown, session)
    const event = { type: kind, of: listing, event: { type: 'failed', failure } } as SessionEvent
    await change(context, session.id, event)
    return false
  }
}
