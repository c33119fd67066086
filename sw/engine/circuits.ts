import type { HoldfastError } from '../../src/protocol/errors.ts'
import type { Context } from './context.ts'
import { believable, close, CLOSED, reconsider, trip, type Circuit } from '../core/circuit.ts'
import type { WorkKind } from '../core/plan.ts'
import type { Failure } from '../core/retry-policy.ts'
import type { ReadTransaction, WriteTransaction } from '../ports/store.ts'
import type { Floors } from '../ports/transport.ts'

const metaName = (destination: string) => `circuit:${destination}`

/** Whom each kind of work asks, by name. */
export const destinationsOf = ({ transport, anchor }: Context): Readonly<Record<WorkKind, string>> => ({
  listing: transport.name,
  witness: (anchor ?? transport).name,
  completion: 'onSettled',
})

/** The stored health of a destination. */
export async function circuitOf(tx: ReadTransaction, destination: string, nowMs: number): Promise<Circuit> {
  return believable(((await tx.meta(metaName(destination))) as Circuit | undefined) ?? CLOSED, nowMs)
}

/**
 * Remembers that a destination failed, where the failure tells of the destination.
 *
 * @returns the failure as the records keep it
 */
export async function recordFailure(
  context: Context,
  destination: string,
  error: HoldfastError,
): Promise<Failure> {
  const { code, message, retryAfterMs } = error
  context.ailing.add(destination)
  const { notBeforeMs: circuitUntilMs } = await update(context, destination, (circuit, nowMs) =>
    trip(circuit, code, retryAfterMs, nowMs, context.clock.random()),
  )
  return { code, message, retryAfterMs, circuitUntilMs }
}

/** The health of the stores that the transport is made of, kept as that of any destination. */
export function floorsOf(context: Context): Floors {
  const { store, clock, transport } = context
  const within = (name: string) => `${transport.name}/${name}`
  return {
    floorMs: async (of) => (await store.read((tx) => circuitOf(tx, within(of), clock.now()))).floorMs,
    keep: (of, error) => recordFailure(context, within(of), error),
  }
}

/**
 * A page arrived, or its network did: every destination is asked again now, unless it forbade that. One that has not
 * failed stays as it is, which is known by reading.
 */
export async function reconsiderCircuits(context: Context): Promise<void> {
  const { store, clock } = context
  for (const name of Object.values(destinationsOf(context))) {
    const { failures } = await store.read((tx) => circuitOf(tx, name, clock.now()))
    if (failures > 0) await update(context, name, reconsider)
  }
}

/** Remembers that a destination answers that has failed, in the transaction that says what came of it. */
export const closeCircuit = async (context: Context, tx: WriteTransaction, of: WorkKind): Promise<void> => {
  const destination = destinationsOf(context)[of]
  if (context.ailing.has(destination)) await updateIn(tx, destination, context.clock.now(), close)
}

type Update = (circuit: Circuit, nowMs: number) => Circuit

const update = ({ store, clock }: Context, destination: string, change: Update): Promise<Circuit> =>
  store.write((tx) => updateIn(tx, destination, clock.now(), change), { records: true })

/** Writes only what changes. */
async function updateIn(
  tx: WriteTransaction,
  destination: string,
  nowMs: number,
  change: Update,
): Promise<Circuit> {
  const before = await circuitOf(tx, destination, nowMs)
  const after = change(before, nowMs)
  if (after !== before) await tx.putMeta(metaName(destination), after)
  return after
}
