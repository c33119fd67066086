import { believable, CLOSED, type Circuit } from '../core/circuit.ts'
import type { Clock } from '../ports/platform.ts'
import type { ReadTransaction, Store, WriteTransaction } from '../ports/store.ts'

// The health of what is asked, as the store keeps it: the engine's destinations, and the stores that one of them is made of.

type Update = (circuit: Circuit, nowMs: number) => Circuit

/** Where health is kept, and by which time. */
export interface Keeping {
  readonly store: Pick<Store, 'read' | 'write'>
  readonly clock: Pick<Clock, 'now' | 'random'>
}

const metaName = (destination: string) => `circuit:${destination}`

/** The stored health of a destination. */
export async function circuitOf(tx: ReadTransaction, destination: string, nowMs: number): Promise<Circuit> {
  // One of an older version lacks what has come since.
  return believable({ ...CLOSED, ...((await tx.meta(metaName(destination))) as Partial<Circuit>) }, nowMs)
}

/** Changes the stored health of a destination, and writes only what changes. */
export async function updateIn(
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

/** The same in a transaction of its own. */
export const update = ({ store, clock }: Keeping, destination: string, change: Update): Promise<Circuit> =>
  store.write((tx) => updateIn(tx, destination, clock.now(), change), { records: true })
