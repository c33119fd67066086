import { HoldfastError } from '../../src/protocol/errors.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import type { WorkKind } from '../core/plan.ts'
import type { Listing, SessionRecord } from '../core/record.ts'
import { change } from './change.ts'
import { destinationsOf, recordFailure } from './circuits.ts'
import type { AnchoredContext, Context } from './context.ts'
import { beginPage, publishPage, type Begun } from './listing.ts'
import { publishHead } from './publish-head.ts'
import { tellSettled } from './tell-settled.ts'

/**
 * Takes a session one step of this kind further, which is due: its log to the store, its newest head to the chain, or to
 * the store where there is none, or the news that it has settled to the app. Each step ends in the store, a failure too;
 * only a failing store rejects. A step that is late, because another worker has gone on meanwhile, changes nothing.
 */
export async function sessionStep(
  context: Context,
  session: SessionRecord,
  kind: WorkKind,
  signal: AbortSignal,
): Promise<void> {
  const { anchor } = context
  let { listing } = session
  try {
    if (kind === 'listing') {
      const begun: Begun | undefined = listing ? { session } : await beginPage(context, session)
      listing = begun?.session.listing
      if (begun && listing) await publishPage(context, begun.session, listing, signal, begun.bytes)
    } else if (kind === 'completion') await tellSettled(context, session, signal)
    else if (anchor) await anchor.witness(context as AnchoredContext, session, signal)
    else await publishHead(context, session, signal)
  } catch (thrown) {
    await fail(context, session.id, kind, listing, HoldfastError.from(thrown))
  }
}

async function fail(
  context: Context,
  id: SessionId,
  kind: WorkKind,
  listing: Listing | undefined,
  error: HoldfastError,
): Promise<void> {
  if (error.code === 'storage-failed' || error.code === 'storage-full') throw error
  const failure = await recordFailure(context, destinationsOf(context)[kind], error)
  const event = { type: 'failed', failure } as const
  // Of what has settled the app is told by any worker of it.
  if (kind === 'completion') await change(context, id, { type: kind, event }, undefined, false)
  else if (kind === 'witness') await change(context, id, { type: kind, event })
  else if (listing) await change(context, id, { type: kind, of: listing, event })
  // No page could be made, which costs nobody bytes.
  else
    await change(context, id, {
      type: kind,
      of: listing,
      event: { ...event, failure: { ...failure, isOfRead: true } },
    })
}
