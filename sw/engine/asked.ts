import { HoldfastError } from '../../src/protocol/errors.ts'

/** Failures of what was only asked for. */
const ofReads = new WeakSet<HoldfastError>()

/**
 * What is asked for costs no bytes: where it fails that is known of the failure, which then waits and never parks. An
 * answer that tells of other bytes is no failed question.
 */
export const asked = <T>(reading: Promise<T>): Promise<T> =>
  reading.catch((thrown: unknown) => {
    const error = HoldfastError.from(thrown)
    if (!['address-mismatch', 'hash-mismatch'].includes(error.code)) ofReads.add(error)
    throw error
  })

export const isOfRead = (error: HoldfastError): boolean => ofReads.has(error)
