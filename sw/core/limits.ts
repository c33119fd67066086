// The numbers of this folder that are no times: those are in waits.ts. Bundlers write those of a file without imports
// where they are used.

/** Begins the place of a raw chunk: before all uploads, since sealing needs no network. */
export const SEAL_FIRST = -1
/** Bytes of a server's words that a chunk keeps, in UTF-8; its session keeps the whole message. */
export const MESSAGE_BYTES = 80
/** So many settled sessions are kept; of the others a few are forgotten at a time. */
export const SETTLED_KEPT = 200
export const MAX_FORGOTTEN = 4
/** So many chunks in a row that a destination refused stand for those that it has not been asked for. */
export const REFUSED_TOGETHER = 3
/** Trials of sessions that were refused together are one up to this rung of their ladder, about an hour. */
export const TRIALS_TOGETHER = 6
/** A destination that has failed so often in a row is told to every session that needs it next: as often as it is asked at once. */
export const FAILURES_TO_TELL = 3
