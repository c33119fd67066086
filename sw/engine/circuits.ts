import type { HoldfastError } from '../../src/protocol/errors.ts'
import type { Context } from './context.ts'
import { believable, close, CLOSED, reconsider, trip, type Circuit } from '../core/circuit.ts'
import type { Failure } from '../core/retry-policy.ts'
import type { ReadTransaction, WriteTransaction } from '../ports/store.ts'

const metaName = (destination: string) => `circuit:${destination}`

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
  const { store, clock } = context
  const circuit = await store.write(async (tx) => {
    const before = await circuitOf(tx, destination, clock.now())
    const after = trip(before, error.code, error.retryAfterMs, clock.now(), clock.random())
    if (after !== before) await tx.putMeta(metaName(destination), after)
    return after
  })
  const { code, message, retryAfterMs } = error
  return { code, message, retryAfterMs, circuitUntilMs: circuit.notBeforeMs }
}

/** A page arrived, or its network did: the destination is asked again now, unless it forbade that. */
export async function reconsiderCircuit(
  tx: WriteTransaction,
  destination: string,
  nowMs: number,
): Promise<void> {
  const circuit = await circuitOf(tx, destination, nowMs)
  if (circuit.failures > 0) await tx.putMeta(metaName(destination), reconsider(circuit))
}

/** Remembers that a destination answers. */
export async function closeCircuit({ store, clock }: Context, destination: string): Promise<void> {
  const { failures } = await store.read((tx) => circuitOf(tx, destination, clock.now()))
  if (failures === 0) return
  await store.write(async (tx) => {
    const closed = close(await circuitOf(tx, destination, clock.now()), clock.now())
    if (closed === CLOSED) await tx.deleteMeta(metaName(destination))
    else await tx.putMeta(metaName(destination), closed)
  })
}
