import { HoldfastError } from '../../src/protocol/errors.ts'

/** A read has failed: of a store, of the chain, of the database. It sent no bytes, so it waits, and does not park at once. */
export class ReadError extends HoldfastError {}

/**
 * Runs what only reads, and turns its failure into a `ReadError`, with the original as its cause. Two are told otherwise:
 *
 * - `…-mismatch` passes unchanged: the read went well, and found other bytes than ours.
 * - `storage-failed` becomes `payload-unreadable`, so that it concerns this item alone. If the database as a whole has
 *   failed, so does the write that records this, and that ends the drain.
 */
export const asRead = <T>(read: () => Promise<T>): Promise<T> =>
  // A port of the app's own may throw, rather than reject.
  (async () => read())().catch((thrown: unknown) => {
    const error = HoldfastError.from(thrown)
    const { code, message, retryAfterMs } = error
    if (/mismatch/.test(code) || error instanceof ReadError) throw error
    throw new ReadError(code === 'storage-failed' ? 'payload-unreadable' : code, message, {
      cause: error,
      retryAfterMs,
    })
  })
