/** What is compared, and what is hoped for; the page measures, the terminal and the document tell. */
export interface Comparison {
  readonly name: Name
  readonly what: string
  readonly unit: string
  /** Of ours over the bare browser's. */
  readonly goal: { readonly ratio: number; readonly is: 'at most' | 'at least' }
}

/** What one page measures by itself. */
export type PageName =
  | 'handoff'
  | 'handoff-peer'
  | 'drain-peer'
  | 'drain-put'
  | 'drain-tus'
  | 'seal'
  | 'small'
  | 'backlog'
  | 'write-amplification'

/** What is measured from outside, over several starts of a browser. */
export type LifeName =
  | 'wake'
  | 'wake-queued'
  | 'recovery'
  | 'memory'
  | 'scale'
  | 'scale-memory'
  | 'scale-sessions'
  | 'scale-sessions-memory'

export type Name = PageName | LifeName

const MIB = 1024 * 1024
export const CHUNK_BYTES = 3 * MIB
export const SMALL_BYTES = 64 * 1024
/** Of a worker for "wake" in each round: one takes 25 or 65 ms, as it happens. */
export const STARTS = 15

export const COMPARISONS: readonly Comparison[] = [
  {
    name: 'handoff',
    what: 'a sealed chunk of 3 MiB from page to acknowledgement while nothing is uploaded; bare: read, hashed once, and put strictly beside that',
    unit: 'ms',
    goal: { ratio: 1.25, is: 'at most' },
  },
  {
    name: 'handoff-peer',
    what: 'the same; for bare stands a workbox `Queue` that takes it as the body of a request',
    unit: 'ms',
    goal: { ratio: 0.5, is: 'at most' },
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
    name: 'drain-peer',
    what: 'chunks of 3 MiB by presigned PUT, proved; for bare stands tus-js-client in a page, to @tus/server, four at a time, unchecked',
    unit: 'MB/s',
    goal: { ratio: 1.3, is: 'at least' },
  },
  {
    name: 'seal',
    what: 'sealing 3 MiB; bare: a digest, AES-GCM, a digest; ours seals the key of the chunk, too',
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
    what: 'ms a chunk of 1 KiB by presigned PUT, the first thousand of a long queue; bare stands for ten queues of 100',
    unit: 'ms',
    goal: { ratio: 1.15, is: 'at most' },
  },
  {
    name: 'write-amplification',
    what: 'bytes that the browser writes for a byte of ciphertext, from hand-off to uploaded; bare: one put each',
    unit: 'bytes',
    goal: { ratio: 1.05, is: 'at most' },
  },
  {
    name: 'wake',
    what: `from the start of a worker, with no page, on a database that was opened before, to its first upload at the server, the median of ${STARTS} starts in each round; bare: opens a database, reads one record, and sends it`,
    unit: 'ms',
    goal: { ratio: 1.3, is: 'at most' },
  },
  {
    name: 'wake-queued',
    what: 'the same with a long queue; bare stands for a queue of 10',
    unit: 'ms',
    goal: { ratio: 1.5, is: 'at most' },
  },
  {
    name: 'recovery',
    what: 'SIGKILL with 50 chunks of 3 MiB pending; from the browser’s start at about:blank to the first upload at the server; bare: a worker that reads one payload at `sync` and sends it',
    unit: 'ms',
    goal: { ratio: 1.2, is: 'at most' },
  },
  {
    name: 'memory',
    what: 'what all processes of the browser take, at the most, over what they took before, while parts of 3 MiB drain; bare stands for the limit: five lanes of a part, and 48 MiB',
    unit: 'MiB',
    goal: { ratio: 1, is: 'at most' },
  },
  {
    name: 'scale',
    what: 'ms a chunk of 1 KiB from hand-off until it is confirmed without a chain, of the last thousand of one long session; bare stands for its first thousand',
    unit: 'ms',
    goal: { ratio: 1.15, is: 'at most' },
  },
  {
    name: 'scale-memory',
    what: 'what all processes take after them',
    unit: 'MiB',
    goal: { ratio: 1.15, is: 'at most' },
  },
  {
    name: 'scale-sessions',
    what: 'the same over sessions of 200 chunks',
    unit: 'ms',
    goal: { ratio: 1.15, is: 'at most' },
  },
  {
    name: 'scale-sessions-memory',
    what: 'what all processes take after them',
    unit: 'MiB',
    goal: { ratio: 1.15, is: 'at most' },
  },
]

const LIVES: readonly Name[] = [
  'wake',
  'wake-queued',
  'recovery',
  'memory',
  'scale',
  'scale-memory',
  'scale-sessions',
  'scale-sessions-memory',
] satisfies readonly LifeName[]

export const isLife = (name: Name): name is LifeName => LIVES.includes(name)

/** What one round measured, in the comparison's unit. */
export interface Measured {
  readonly name: Name
  readonly ours: number
  readonly bare: number
  /** Time of the browser's processes on the CPU, which other work on the machine changes little, ms; absent: not taken. */
  readonly cpuMs?: { readonly ours: number; readonly bare: number }
}

/** What is to be done. */
export interface Plan {
  readonly rounds: number
  /** Of 3 MiB. */
  readonly chunks: number
  /** Of 64 KiB. */
  readonly smallChunks: number
  readonly queued: number
  /** Of "memory". */
  readonly drainedMib: number
  /** Chunks of "scale"; half as many in its sessions. */
  readonly scaled: number
}

/** What the page is to do of it. */
export interface PagePlan extends Plan {
  readonly names: readonly PageName[]
}
