// The numbers of this folder. Bundlers write those of a file without imports where they are used.

/** The custody log keeps the lines of about this many transactions. */
export const LOG_GROUPS = 2_500
/** At times those before them are deleted, and so many more where a worker died before it did. */
export const LOG_LEFT = 1_000
/** The whole queue is looked at this often, ms. */
export const FULL_LOOK_MS = 60_000
/** So many are read beside those that are skipped: what a look takes, mostly. A cursor would be one request for each. */
export const NEXT_FEW = 8
/** But no fewer than the first look of a life begins: after what waits for the browser's start each question is one more. */
export const FIRST_MANY = 24
/** What may be repeated waits so long for others that it can be committed with, ms. */
export const LINGER_MS = 25
/** A transaction that fell with its connection is tried this often, each time on a new one. */
export const TRIES = 3
/** A database that has not opened by then is asked again on a new connection, which has so much longer, ms. */
export const OPEN_TIMEOUT_MS = 5_000
/** A transaction has so long between two signs of life: its first request, each payload, its end; ms. */
export const TRANSACTION_TIMEOUT_MS = 20_000
/** The slowest device that is waited for, bytes per ms. */
export const SLOWEST_BYTES_PER_MS = 500
/** What is late is given up, and has so long to say that it was committed all the same, ms. */
export const GRACE_MS = 2_000
/** Of what is held so that it can be given up: see `RESERVE`. */
export const RESERVE_BYTES = 4 * 1024 * 1024
/** LevelDB begins a new log once it has taken 4 MiB of memory; values of over 64 KiB do not go through it. */
export const PIECES = 80
export const PIECE_BYTES = 60_000
