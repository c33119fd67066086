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
  /** Forgets all. */
  | { readonly do: 'clear' }

export type BareAnswer = { readonly ok: true } | { readonly ok: false; readonly error: string }
