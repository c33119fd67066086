import { HoldfastError } from '../../src/protocol/errors.ts'
import type { Attempt, Upload } from '../ports/transport.ts'
import { ReadError } from './read-error.ts'
import { PUT_OFF_MS } from './limits.ts'

// No store gets a third copy, at the pace of retries, of what it refused twice.

/** Behind the store's own resume token: nothing after the first copy that was refused, and after the second why. */
const COUNTED = '\0'

/** Answers to a body that arrived, after which the same again might be taken. */
const REFUSED = /server-error|bad-answer|address-mismatch/

/**
 * Runs the requests of an attempt at one store, and counts a copy that this refuses, whether all of it had arrived or
 * not, as nobody tells; and one that it took, where the question whether it is there then failed. What was cut off does
 * not count: that passes. What a busy server puts off waits as long as that asks; where it names no time, two minutes from
 * the second copy on. Nor do questions that fail by themselves count, nor what fails before progress was told: no byte has
 * left then.
 *
 * @param counts false where the store is made of several, and counts for each of them
 * @param requests gets the attempt without what is counted; calls `mayBeSent` before each copy, having asked what is
 *   there: after two in a row that the store refused that throws `rejected-by-store`, once, so each trial, ever more
 *   rarely, may send one more
 */
export async function counted<T>(
  attempt: Attempt,
  { sizeBytes }: Upload,
  counts: boolean,
  requests: (own: Attempt, mayBeSent: () => Promise<void>) => Promise<T>,
): Promise<T> {
  let [resumeToken = '', why] = (attempt.resumeToken ?? '').split(COUNTED)
  const save = (token: string, because?: string) => {
    resumeToken = token
    why = because
    return attempt.saveResumeToken(why === undefined ? token : token + COUNTED + why)
  }
  let from: number | undefined
  let goesOn = false
  let isSent = false
  try {
    return await requests(
      {
        ...attempt,
        get resumeToken() {
          return resumeToken
        },
        saveResumeToken: (token) => save(token, why),
        progress(offset) {
          from ??= offset
          // More is taken of what was there in part: nothing of that was refused.
          goesOn ||= 0 < from && from < offset && offset < sizeBytes
          attempt.progress(offset)
        },
      },
      async () => {
        const said = why
        isSent = !said
        if (isSent) return
        await save(resumeToken, '')
        throw new HoldfastError('rejected-by-store', `Two copies were refused. ${said}`)
      },
    )
  } catch (reason) {
    const { code, message, retryAfterMs } = reason as HoldfastError
    const isPutOff = code === 'throttled' && !retryAfterMs
    const isRefused = reason instanceof ReadError ? isSent : isPutOff || REFUSED.test(code)
    if (counts && from !== undefined && isRefused) {
      const isSecond = why !== undefined && !goesOn
      await save(resumeToken, isSecond && !isPutOff ? message.slice(0, 150) : '')
      if (isSecond && isPutOff) throw new HoldfastError(code, message, { retryAfterMs: PUT_OFF_MS })
    }
    throw reason
  }
}
