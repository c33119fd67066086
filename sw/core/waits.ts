// The numbers of the rules in retry-policy.ts. Bundlers write those of a file without imports where they are used.

/** First upper bound of the wait after a failure, ms; it doubles. */
export const BASE_MS = 500
/** A store may show some seconds later what it took: no copy that it does not show is looked for again sooner, ms. */
export const SHOWN_AFTER_MS = 5_000
/** Largest wait between attempts of one item, ms. */
export const CAP_MS = 60_000
/**
 * Largest wait for a destination that does not answer at all, ms. Short, because a refused connection costs
 * little, while the minutes that a browser grants a worker without a page are few.
 */
export const DESTINATION_CAP_MS = 10_000
/** Longest `Retry-After` that is heeded, ms; so the longest legal wait of anything but a trial of what is parked. */
export const LONGEST_WAIT_MS = 3_600_000
/** Longest legal wait for a trial, ms. */
export const LONGEST_TRIAL_MS = 21_600_000
/** Least wait between two trials, ms. */
export const TRIAL_FLOOR_MS = 60_000
/**
 * An anchor that the chain does not show is handed to the relay again after this long, ms: about a block of
 * Ethereum. Short, because a node that restarts forgets its pool, a repetition costs the relay nothing, and the
 * minutes that a browser grants a worker without a page are few.
 */
export const RESUBMIT_AFTER_MS = 15_000
/** Largest wait until it is handed over again, ms. */
export const RESUBMIT_CAP_MS = 900_000
/** The chain is looked at once for all that is proved within so long, ms. */
export const PROVED_TOGETHER_MS = 500
/** An anchor that the relay took so often without bringing it to the chain is told: 45 s after the first time. */
export const TAKEN_TO_TELL = 3
/** A chain whose newest block is the same for so long, ms, is told. */
export const STANDING_MS = 90_000
/** Bytes that cannot be read, or are not what they were, are read again so often before their chunk is parked. */
export const READS = 3
/**
 * The chain is looked at for what has settled no more often than this, ms; a drain that runs for long looks so often which
 * sessions are due.
 */
export const LOOKS_APART_MS = 60_000
/** So many pages are asked for again at a time. */
export const MAX_CONCURRENT_EXPIRED = 100
/** A store that does not take a chunk for what it is gets it so often in a row before the chunk is parked. */
export const CONFLICTS = 5
/**
 * Our copy of a chunk is deleted on the store's proof only while that is no older, ms: a store that forgets is noticed.
 */
export const PROOF_LASTS_MS = 600_000
