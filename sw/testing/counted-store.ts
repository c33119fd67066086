import type { ReadTransaction, Store } from '../ports/store.ts'

/** What was asked of a store. */
export interface StoreCounts {
  transactions: number
  /** Records read, written or deleted: each of a range counts. */
  records: number
}

/** The same store, which counts what passes. */
export function countedStore(store: Store): { readonly store: Store; readonly counts: StoreCounts } {
  const counts = { transactions: 0, records: 0 }
  const counted = <Tx extends ReadTransaction>(tx: Tx): Tx =>
    new Proxy(tx, {
      get(_tx, name) {
        const request = tx[name as keyof Tx] as (...args: unknown[]) => Promise<unknown>
        return async (...args: unknown[]) => {
          const answer = await request.apply(tx, args)
          counts.records += Array.isArray(answer) ? answer.length : 1
          return answer
        }
      },
    })
  return {
    counts,
    store: {
      ...store,
      read: (work) => (counts.transactions++, store.read((tx) => work(counted(tx)))),
      write: (work) => (counts.transactions++, store.write((tx) => work(counted(tx)))),
    },
  }
}
