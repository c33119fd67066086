// The numbers of this folder that its writers need. Bundlers write those of a file without imports where they are used.

/** Entries of a log: no head has a larger size, whoever signed it, and no page ends beyond it. */
export const MAX_LOG_ENTRIES = 0xffff_ffff
export const MAX_PAGE_BYTES = 262_144
/**
 * A writer puts no more entries into a page. A chunk's has at most 299 bytes, and one that begins a log 65,535; so with
 * the length of each, and with the most hashes, a page without notes has 248,283 bytes at most.
 */
export const MAX_PAGE_ENTRIES = 600
/** What is left of a page for entries and their lengths, beside the most hashes. */
export const ENTRIES_BYTES = 260_000
/** What stands for an unknown number of indexes. */
export const UNKNOWN_INDEXES = 0xffff_ffff
