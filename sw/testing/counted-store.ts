import type { ReadTransaction, Store } from '../ports/store.ts'

/** What was asked of a store. */
export interface StoreCounts {
  /** All of them. */
  transactions: number
  /** Those that had to be durable before anything went on. */
  strict: number
  /** Records read, written or deleted: each of a range counts. */
  records: number
  /** Bytes of payloads. */
  bytesWritten: number
  bytesRead: number
  /** Payloads that came with the Blob that a page had posted. */
  posted: number
}

/** The same store, which counts what passes. */
export function countedStore(store: Store): { readonly store: Store; readonly counts: StoreCounts } {
  const counts = { transactions: 0, strict: 0, records: 0, bytesWritten: 0, bytesRead: 0, posted: 0 }
  const counted = <Tx extends ReadTransaction>(tx: Tx): Tx =>
    new Proxy(tx, {
      get(_tx, name) {
        const request = tx[name as keyof Tx] as (...args: unknown[]) => Promise<unknown>
        return async (...args: unknown[]) => {
          const answer = await request.apply(tx, args)
          counts.records += Array.isArray(answer) ? answer.length : 1
          if (name === 'putPayload') {
            counts.bytesWritten += (args[1] as ArrayBuffer).byteLength
            if (args[2] !== undefined) counts.posted++
          }
          return answer
        }
      },
    })
  return {
    counts,
    store: {
      ...store,
      read: (work) => (counts.transactions++, store.read((tx) => work(counted(tx)))),
      write(work, needs) {
        counts.transactions++
        if (needs?.repeatable !== true) counts.strict++
        return store.write((tx) => work(counted(tx)), needs)
      },
      async payload(id) {
        counts.transactions++
        const bytes = await store.payload(id)
        counts.bytesRead += bytes.byteLength
        return bytes
      },
    },
  }
}
