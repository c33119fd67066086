import { HoldfastError } from '../../src/protocol/errors.ts'

/** What was only asked for has failed. That cost no bytes: it waits, and does not park at once. */
export class AskedError extends HoldfastError {}

/**
 * Marks the failures of what is only asked for. An answer that tells of other bytes is no failed question. A read that the
 * database says failed is of what was asked for alone: if the database fails indeed, so will the write that says so. Who has
 * said it is the cause.
 */
export const asked = <T>(ask: () => Promise<T>): Promise<T> =>
  // One of the app's own may throw, rather than reject.
  (async () => ask())().catch((thrown: unknown) => {
    const error = HoldfastError.from(thrown)
    const { code, message, retryAfterMs } = error
    if (/mismatch/.test(code) || error instanceof AskedError) throw error
    throw new AskedError(code === 'storage-failed' ? 'payload-unreadable' : code, message, {
      cause: error,
      retryAfterMs,
    })
  })
