import { HoldfastError } from '../../src/protocol/errors.ts'
import { belongsElsewhere } from '../core/identity.ts'
import type { SessionRecord } from '../core/record.ts'
import { afterLook, isLookDue } from '../core/watching.ts'
import { change } from './change.ts'
import { recordFailure } from './circuits.ts'
import { circuitOf } from '../health/stored-circuits.ts'
import type { Watch } from './context.ts'
import { withTimeout } from './with-timeout.ts'

/**
 * Asks the chain, session after session, whether it still holds what has settled, where a look is due. A session whose
 * anchor is gone is open again, and is witnessed like any other. A chain that does not answer is asked at a later wake.
 * For `install({ watch: watchSettled })`.
 */
export const watchSettled: Watch = async (context, signal) => {
  const { store, anchor, clock, identity } = context
  if (!anchor) return
  const nowMs = clock.now()
  const [sessions, { notBeforeMs }] = await store.read((tx) =>
    Promise.all([tx.sessions(), circuitOf(tx, anchor.name, nowMs)]),
  )
  if (notBeforeMs > nowMs) return
  const isOurs = (session: SessionRecord) => !belongsElsewhere(session, identity)
  for (const { id, name, anchored } of sessions
    .filter(isOurs)
    .filter((session) => isLookDue(session, nowMs))) {
    const reading = withTimeout(clock, 0, signal, (until) => anchor.read(name, until))
    const shown = await reading.catch(HoldfastError.from)
    if (shown instanceof HoldfastError) return void (await recordFailure(context, 'witness', shown))
    // What a node did not tell when the head was concluded is asked for once more, at each look.
    const { blockNumber = 0, size } = shown.latest ?? {}
    const events =
      size && !anchored.transactionHash
        ? await withTimeout(clock, 0, signal, (until) =>
            anchor.events(name, blockNumber, blockNumber, until),
          ).catch(() => [])
        : []
    const receipt = events.find((event) => event.size === size)?.receipt
    const told = { ...anchored, ...receipt }
    await change(context, id, { type: 'anchor-seen', anchored: afterLook(told, shown, nowMs) })
  }
}
