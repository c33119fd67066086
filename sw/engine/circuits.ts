import type { HoldfastError } from '../../src/protocol/errors.ts'
import type { Context } from './context.ts'
import { CLOSED, reconsider, trip, type Circuit } from '../core/circuit.ts'
import type { Failure } from '../core/chunk-machine.ts'
import type { ReadTransaction, WriteTransaction } from '../ports/store.ts'

const metaName = (destination: string) => `circuit:${destination}`

/** The stored health of a destination. */
export async function circuitOf(tx: ReadTransaction, destination: string): Promise<Circuit> {
  return ((await tx.meta(metaName(destination))) as Circuit | undefined) ?? CLOSED
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
  const { store, clock } = context
  const circuit = await store.write(async (tx) => {
    const before = await circuitOf(tx, destination)
    const after = trip(before, error.code, error.retryAfterMs, clock.now(), clock.random())
    if (after !== before) await tx.putMeta(metaName(destination), after)
    return after
  })
  const { code, message, retryAfterMs } = error
  return { code, message, retryAfterMs, circuitUntilMs: circuit.notBeforeMs }
}

/** A page arrived, or its network did: the destination is asked again now, unless it forbade that. */
export async function reconsiderCircuit(tx: WriteTransaction, destination: string): Promise<void> {
  const circuit = await circuitOf(tx, destination)
  if (circuit.failures > 0) await tx.putMeta(metaName(destination), reconsider(circuit))
}

/** Remembers that a destination answers. */
export async function closeCircuit(context: Context, destination: string): Promise<void> {
  const healthy = await context.store.read(async (tx) => (await circuitOf(tx, destination)).failures === 0)
  if (!healthy) await context.store.write((tx) => tx.deleteMeta(metaName(destination)))
}
