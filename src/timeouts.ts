// How long the page waits, and how much it does at a time. Bundlers write the numbers of a file without imports where
// they are used.

/** The worker is given so long for an answer, unless the app says otherwise, ms. */
export const ANSWER_TIMEOUT_MS = 10_000
/** A browser has so long to install the worker, with what the app has it fetch, ms. */
export const INSTALL_TIMEOUT_MS = 300_000
/** Code that is loaded when it is first asked for is given so long, ms. */
export const LOAD_TIMEOUT_MS = 60_000
/** A browser that asks a person has so long, ms: some ask until they are answered. */
export const PERSON_TIMEOUT_MS = 60_000
/** How often a worker is asked that is stopped before it answers, where somebody waits. */
export const ASKS = 3
/** First and largest wait before a request is repeated, ms. */
export const FIRST_WAIT_MS = 250
export const LONGEST_WAIT_MS = 10_000
/** Chunks of one session that are sealed, or handed over, at the same time. */
export const MAX_CONCURRENT_CHUNKS = 3
/** How often bytes are read, hashed and sealed that cannot be at once, and how long after the first time, ms; it doubles. */
export const TRIES = 6
export const TRY_AGAIN_MS = 100
/** A read that hangs is given up after so long, ms, and so much more for each byte: no device that records is slower. */
export const READ_TIMEOUT_MS = 10_000
export const READ_MS_PER_BYTE = 1 / 1_000
/** Longer than a lock that nobody else can hold takes on the slowest device, ms. */
export const LOCK_TIMEOUT_MS = 10_000
/** Sooner than any browser stops a worker without events (30 s in Chromium), ms. */
export const HELLO_EVERY_MS = 20_000
/** Whoever watches asks for all sessions after so long, whatever was told, ms. */
export const ASK_AGAIN_MS = 60_000
