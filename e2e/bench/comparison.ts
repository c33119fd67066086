/** What is compared, and what is hoped for; the page measures, the terminal and the document tell. */
export interface Comparison {
  readonly name: Name
  readonly what: string
  readonly unit: string
  /** Of ours over the bare browser's. */
  readonly goal: { readonly ratio: number; readonly is: 'at most' | 'at least' }
}

export type Name =
  'handoff' | 'drain-put' | 'drain-tus' | 'seal' | 'small' | 'backlog' | 'write-amplification'

const MIB = 1024 * 1024
export const CHUNK_BYTES = 3 * MIB
export const SMALL_BYTES = 64 * 1024

export const COMPARISONS: readonly Comparison[] = [
  {
    name: 'handoff',
    what: 'a sealed chunk of 3 MiB from page to acknowledgement while nothing is uploaded; bare: read, hashed once, and put strictly beside that',
    unit: 'ms',
    goal: { ratio: 1.25, is: 'at most' },
  },
  {
    name: 'drain-put',
    what: 'chunks of 3 MiB by presigned PUT, from the store to the last proof; bare: four lanes of `fetch` from IndexedDB',
    unit: 'MB/s',
    goal: { ratio: 0.8, is: 'at least' },
  },
  {
    name: 'drain-tus',
    what: 'the same to @tus/server, read back; bare: four lanes of POST, PATCH, GET and one digest',
    unit: 'MB/s',
    goal: { ratio: 0.7, is: 'at least' },
  },
  {
    name: 'seal',
    what: 'sealing 3 MiB; bare: a digest, AES-GCM, a digest',
    unit: 'ms',
    goal: { ratio: 1.15, is: 'at most' },
  },
  {
    name: 'small',
    what: 'chunks of 64 KiB, eight at a time, from page to the last proof by presigned PUT; bare: one strict put each, and four lanes of `fetch` meanwhile',
    unit: 'chunks/s',
    goal: { ratio: 0.5, is: 'at least' },
  },
  {
    name: 'backlog',
    what: 'ms a chunk of 1 KiB by presigned PUT with a long queue; bare stands for a queue of 100',
    unit: 'ms',
    goal: { ratio: 1.15, is: 'at most' },
  },
  {
    name: 'write-amplification',
    what: 'bytes that the browser writes for a byte of ciphertext, from hand-off to uploaded; bare: one put each',
    unit: 'bytes',
    goal: { ratio: 1.05, is: 'at most' },
  },
]

/** What one round measured, in the comparison's unit. */
export interface Measured {
  readonly name: Name
  readonly ours: number
  readonly bare: number
  /** Time of the browser's processes on the CPU, which other work on the machine changes little, ms; absent: not taken. */
  readonly cpuMs?: { readonly ours: number; readonly bare: number }
}

/** What the page is to do. */
export interface Plan {
  readonly names: readonly Name[]
  readonly rounds: number
  readonly chunks: number
  readonly smallChunks: number
  readonly queued: number
}
