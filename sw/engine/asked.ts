import { HoldfastError } from '../../src/protocol/errors.ts'

/** What was only asked for has failed. That cost no bytes: it waits, and never parks. */
export class AskedError extends HoldfastError {}

/** Marks the failures of what is only asked for. An answer that tells of other bytes is no failed question. */
export const asked = <T>(reading: Promise<T>): Promise<T> =>
  reading.catch((thrown: unknown) => {
    const error = HoldfastError.from(thrown)
    const { code, message, retryAfterMs } = error
    if (code === 'address-mismatch' || code === 'hash-mismatch') throw error
    throw new AskedError(code, message, { cause: error, retryAfterMs })
  })
