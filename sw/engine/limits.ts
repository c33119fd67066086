// The numbers of drain.ts, plan-work.ts, witness.ts and with-timeout.ts. Bundlers write those of a file without imports where they are used.

/** Near the end of its budget a drain starts nothing new, ms. */
export const WIND_DOWN_MS = 10_000
/** A waiting drain looks at the store at least this often, ms. */
export const LOOK_EVERY_MS = 15_000
/** And counts the chunks that there are, ms. */
export const COUNT_EVERY_MS = 60_000
/** A drain waits so long for another one to end, less than the shortest wake, ms. */
export const LOCK_LIMIT_MS = 60_000
/** How long the browser is given to register a wake, ms. */
export const ARM_TIMEOUT_MS = 5_000
/** It never looks more often than this, unless something new wakes it, ms. */
export const SHORTEST_WAIT_MS = 50
/** Steps of one kind at a time; and lanes, for sealing alone where uploads have fewer. */
export const MAX_CONCURRENT_STEPS = 3
/** Chunks that are made ready for a lane: those that the lanes take in this time, ms, */
export const READY_MS = 500
/** but so many at most, */
export const MAX_READY = 16
/** and the bytes of so many as large as the next one. */
export const READY_BYTES = 6 * 1024 * 1024
/** What tells of no progress for so long is told; steps without bytes of their own end then, ms. */
export const SILENCE_MS = 100_000
/** How long the app may take to tell a person that the last wake is over, ms. */
export const HOOK_LIMIT_MS = 10_000
/** How long the bytes of a chunk may take out of the message that brought them, ms. */
export const POSTED_LIMIT_MS = 60_000
/** How long a chunk may take to be sealed here, a little longer than its bytes to be read, ms; */
export const SEAL_LIMIT_MS = 105_000
/** and the time that its bytes need on the slowest device, bytes per ms: two minutes for the largest. */
export const SLOWEST_SEALED_PER_MS = 5_000
/** A visit asks what has failed again, but not twice within this, ms. */
export const VISITS_APART_MS = 5_000
/** As long as the longest wake, ms: whatever each request inside may last, no wake extends the work beyond it. */
export const WORK_LIMIT_MS = 270_000
/** And the time that the bytes need on the slowest link, bytes per ms. */
export const SLOWEST_BYTES_PER_MS = 2
/** A node has so long to tell of a head's event and of those before it, however often the app wants one anchored, ms; */
export const RECEIPT_MS = 5_000
/** and is asked for this many blocks in turn, where it tells of one at a time. */
export const MAX_STEPS_BACK = 64
/** What a busy server puts off twice, and names no time for, is left for so long, ms. */
export const PUT_OFF_MS = 120_000
/** An upload that gets no answer so soon, ms, its question included, which did, is taken for one that CORS hides; */
export const AT_ONCE_MS = 3_000
/** and has its store left alone for so long, and for longer each time in a row, ms. */
export const HIDDEN_MS = 1_000
