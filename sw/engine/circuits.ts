import { HoldfastError, type ErrorCode } from '../../src/protocol/errors.ts'
import { ReadError } from './read-error.ts'
import type { Context } from './context.ts'
import { close, reconsider, trip } from '../core/circuit.ts'
import type { WorkKind } from '../core/plan.ts'
import type { SessionRecord } from '../core/record.ts'
import { countsAsAttempt, type Failure } from '../core/retry-policy.ts'
import { LONGEST_WAIT_MS } from '../core/waits.ts'
import { circuitsIn, update } from '../health/stored-circuits.ts'
import { OwnError } from '../ports/own-error.ts'

/** What says that this device has failed, or that a session goes elsewhere: no port is believed that. */
const OF_DEVICE = /^(storage|payload|other)/

/** Whom each kind of work asks, by name. */
export const destinationsOf = ({ transport, anchor }: Context): Readonly<Record<WorkKind, string>> => ({
  listing: transport.name,
  witness: (anchor ?? transport).name,
  completion: 'onSettled',
})

/**
 * Remembers that whom this work asks has failed, where the failure tells of that.
 *
 * @param of false where nobody was asked
 * @param session whose this is, as it was tried
 * @returns the failure as the records keep it, one of the database too: if that has really failed, so does the write that
 *   records this
 */
export async function recordFailure(
  context: Context,
  of: WorkKind | false,
  thrown: unknown,
  session?: SessionRecord,
): Promise<Failure> {
  const error = HoldfastError.from(thrown)
  const isOfRead = error instanceof ReadError
  // One of another copy of the library may say anything.
  let code = String(error.code) as ErrorCode
  const isOwn = (isOfRead ? error.cause : error) instanceof OwnError
  if (OF_DEVICE.test(code) && !isOwn) code = of ? 'server-error' : 'defect'
  if (of === 'completion' && code !== 'aborted') code = 'completion-failed'
  const retryAfterMs = Math.min(Math.max(0, error.retryAfterMs) || 0, LONGEST_WAIT_MS)
  const failure = {
    code,
    message: String(error.message),
    retryAfterMs,
    isOfRead,
    isMetered: context.metered(),
    // Whatever a person has set right since, sealing was not that.
    of: of ? session : undefined,
  }
  // No destination waits for it: it counts as tried, or it would be tried again at once, for ever.
  if (!of) return countsAsAttempt(code) ? failure : { ...failure, code: 'timeout' }
  const destination = destinationsOf(context)[of]
  context.ailing.add(destination)
  const { notBeforeMs: circuitUntilMs } = await update(context, destination, (circuit, nowMs) =>
    trip(circuit, code, retryAfterMs, nowMs, context.clock.random()),
  )
  return { ...failure, circuitUntilMs }
}

/**
 * A page arrived, or its network did: every destination is asked again now, unless it forbade that. One that has not
 * failed stays as it is, which is known by reading.
 */
export async function reconsiderCircuits(context: Context): Promise<void> {
  const circuitOf = await context.store.read((tx) => circuitsIn(tx, 0))
  for (const name of Object.values(destinationsOf(context)))
    if (circuitOf(name).failures > 0) await update(context, name, reconsider)
}

/** Remembers that a destination answers, where it has failed. */
export async function recordAnswer(context: Context, destination: string): Promise<void> {
  if (context.ailing.has(destination)) await update(context, destination, close)
}
