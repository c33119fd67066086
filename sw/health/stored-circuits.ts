import { believable, CLOSED, type Circuit } from '../core/circuit.ts'
import type { Clock } from '../ports/platform.ts'
import type { ReadTransaction, Store } from '../ports/store.ts'

// The health of what is asked, as the store keeps it: the engine's destinations, and the stores that one of them is made of.

type Update = (circuit: Circuit, nowMs: number) => Circuit

/** Where health is kept, and by which time. */
export interface Keeping {
  readonly store: Pick<Store, 'read' | 'write'>
  readonly clock: Pick<Clock, 'now' | 'random'>
}

/** All of it is kept as one, by destination: a look asks for several. */
const CIRCUITS = 'circuits'

type Kept = Readonly<Record<string, Partial<Circuit>>> | undefined

const keptIn = (tx: ReadTransaction) => tx.meta(CIRCUITS) as Promise<Kept>

/** One of an older version lacks what has come since. */
const healthOf = (kept: Kept, destination: string, nowMs: number) =>
  believable({ ...CLOSED, ...kept?.[destination] }, nowMs)

/** The stored health of each destination that is asked for. */
export async function circuitsIn(
  tx: ReadTransaction,
  nowMs: number,
): Promise<(destination: string) => Circuit> {
  const kept = await keptIn(tx)
  return (destination) => healthOf(kept, destination, nowMs)
}

/** The stored health of one. */
export const circuitOf = async (tx: ReadTransaction, destination: string, nowMs: number): Promise<Circuit> =>
  (await circuitsIn(tx, nowMs))(destination)

/** Changes the stored health of a destination, and writes only what changes; tried once more, as `change` is. */
export function update({ store, clock }: Keeping, destination: string, change: Update): Promise<Circuit> {
  let after: Circuit | undefined
  const write = () =>
    store.write(
      async (tx) => {
        const nowMs = clock.now()
        const kept = await keptIn(tx)
        const before = healthOf(kept, destination, nowMs)
        // What was written, though the database said that it was not, is not changed twice.
        if (before.failures === after?.failures && before.notBeforeMs === after.notBeforeMs) return before
        after = change(before, nowMs)
        if (after !== before) await tx.putMeta(CIRCUITS, { ...kept, [destination]: after })
        return after
      },
      { records: true },
    )
  return write().catch(write)
}
