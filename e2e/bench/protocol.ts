/** What the page asks of the bare worker. */
export type BareRequest =
  /** Reads and hashes the Blob, and puts it strictly beside that; answers once both are done. */
  | { readonly do: 'take'; readonly id: string; readonly payload: Blob }
  /** Puts the Blob strictly. */
  | { readonly do: 'put'; readonly id: string; readonly payload: Blob }
  /** Uploads what is stored under this id, once one of four lanes is free, and proves the copy. */
  | { readonly do: 'send'; readonly id: string }
  /** Uploads whatever is stored, four at a time, and proves each copy. */
  | { readonly do: 'drain'; readonly by: 'put' | 'tus' }
  /** Registers for Background Sync, whose event sends the first that is stored: what a wake costs at the least. */
  | { readonly do: 'wake' }
  /** Forgets all. */
  | { readonly do: 'clear' }

export type BareAnswer = { readonly ok: true } | { readonly ok: false; readonly error: string }

/** What a page of `lives.ts` does. It tells `/mark/<what>` when it is done. */
export type Task =
  /** Hands over chunks that wait for the server, which holds its answers: `queued`. */
  | { readonly do: 'queue'; readonly side: Side; readonly chunks: number; readonly sizeBytes: number }
  /** The same, but nothing is sent yet: `queued`. */
  | { readonly do: 'fill'; readonly chunks: number; readonly sizeBytes: number }
  /** Comes back to what was filled: `ready`, waits for the answer, then uploads all of it: `drained`. */
  | { readonly do: 'drain'; readonly chunks: number }
  /** Sessions one after the other, from hand-off until each chunk is confirmed: `thousand` after each thousand chunks. */
  | {
      readonly do: 'stream'
      readonly sessions: number
      readonly chunks: number
      readonly sizeBytes: number
    }

export type Side = 'ours' | 'bare'
