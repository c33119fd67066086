// The numbers of this folder, of the transports and of the anchors. Bundlers write those of a file without imports where they are used.

/** A silent server is given so long, ms; a stalled socket is to be noticed within 30 s. */
export const TIMEOUT_MS = 20_000
/** Rate that a link is given time for as long as nothing is known of it, bytes per ms. */
export const SLOWEST_BYTES_PER_MS = 16
/** And no link less, however often it was too slow, bytes per ms. */
export const LEAST_BYTES_PER_MS = 2
/** A link may become this many times slower than it was last seen: other lanes begin, reception fades. */
export const SLACK = 2
/** Time that a part may take on such a link, ms: with `TIMEOUT_MS`, 30 s. */
export const PART_MS = 10_000
/** No part is smaller. */
export const SMALLEST_BYTES = 64 * 1024
/** Smaller requests measure the round trip as much as the link: they may show that it is faster, not slower. */
export const TELLING_BYTES = 1024 * 1024
/** Enough for any answer that is no content. */
export const MAX_ANSWER_BYTES = 64 * 1024
/** Time for a hook of the app, ms. */
export const HOOK_TIMEOUT_MS = 30_000
/** How long a silent node or relay is given, ms. */
export const CHAIN_TIMEOUT_MS = 30_000
/** The longest answer of a node: a block, with the names of its transactions. */
export const MAX_NODE_ANSWER_BYTES = 1024 * 1024
/** Most bytes of a part of an upload in parts, where the app says nothing. */
export const DEFAULT_PART_BYTES = 4 * 1024 * 1024
/** So often an attempt halves a part that something on the way takes for too large (413). */
export const HALVINGS = 3
/** Into more parts no upload is cut. */
export const MAX_PARTS = 10_000
/** Time for an account to send a transaction, ms. */
export const ACCOUNT_TIMEOUT_MS = 60_000
/** A transaction that is no younger, and not on the chain, may be waiting for a higher fee, ms. No head comes again sooner. */
export const STUCK_MS = 10_000
