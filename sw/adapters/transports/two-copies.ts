import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { Attempt } from '../../ports/transport.ts'

// A resume token has no space, and after one stands what was counted: nothing after the first copy that was refused, and
// after the second why.

/** A resume token without what was counted. */
export const unmarked = (resumeToken = ''): string => resumeToken.replace(/ .*/s, '')

/** What was counted, for another resume token of the same upload. */
export const markOf = (resumeToken = ''): string => resumeToken.slice(unmarked(resumeToken).length)

/** Answers to a body that arrived, after which the same again might be taken. */
const MAY_HEAL = /server-error|bad-answer|address-mismatch/

/** Rejects with the reason why a copy does not count, once it is written down that it was sent. */
export async function refused(
  reason: unknown,
  { resumeToken, saveResumeToken }: Attempt,
  token = unmarked(resumeToken),
): Promise<never> {
  const { code, message } = reason as HoldfastError
  if (MAY_HEAL.test(code)) await saveResumeToken(`${token} ${markOf(resumeToken) && message.slice(0, 150)}`)
  throw reason
}

/**
 * Sends a copy, but no third one at the pace of retries: after two in a row that the store refused, `rejected-by-store` is
 * told to who comes to send the next, having asked what is there; each trial, ever more rarely, may send one more. What
 * is refused counts, whether all of it had arrived or not, as nobody tells. What was cut off, or put off by a server that
 * is busy, does not: that passes, and waits longer each time.
 *
 * @param hasBegun whether a byte of it may have left, once it has failed
 */
export async function twoCopies(
  attempt: Attempt,
  send: () => Promise<'proved' | 'sent'>,
  hasBegun = () => true,
): Promise<'proved' | 'sent'> {
  const { resumeToken, saveResumeToken } = attempt
  const why = markOf(resumeToken).slice(1)
  if (why) {
    await saveResumeToken(`${unmarked(resumeToken)} `)
    throw new HoldfastError('rejected-by-store', `Two copies were refused. ${why}`)
  }
  try {
    return await send()
  } catch (reason) {
    if (hasBegun()) return refused(reason, attempt)
    throw reason
  }
}
