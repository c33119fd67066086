import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { Attempt } from '../../ports/transport.ts'

// A resume token has no space, and after one stands what was counted: nothing after the first copy that was refused, and
// after the second why.

/** A resume token without what was counted. */
export const unmarked = (resumeToken = ''): string => resumeToken.replace(/ .*/s, '')

/** What was counted, for another resume token of the same upload. */
export const markOf = (resumeToken = ''): string => resumeToken.slice(unmarked(resumeToken).length)

/** What the same again may be spared, whether the store has answered or not. */
const MAY_HEAL = /server|bad|mism|unre|time|thr/

/** Rejects with the reason why a copy does not count, once it is written down that it was sent. */
export async function refused(
  reason: unknown,
  { resumeToken, saveResumeToken }: Attempt,
  token = unmarked(resumeToken),
  mayHeal = MAY_HEAL,
): Promise<never> {
  const { code, message } = reason as HoldfastError
  if (mayHeal.test(code)) await saveResumeToken(`${token} ${markOf(resumeToken) && message.slice(0, 150)}`)
  throw reason
}

/**
 * Sends a copy, but no third one at the pace of retries: after two in a row that came to nothing, `rejected-by-store` is
 * told to who comes to send the next, having asked what is there; each trial, ever more rarely, may send one more. It
 * counts whether all of it had arrived or not, as nobody tells.
 *
 * @param counting of which failures it is one, by their codes, once it has failed; by default all that may heal
 */
export async function twoCopies(
  attempt: Attempt,
  send: () => Promise<'proved' | 'sent'>,
  counting?: () => RegExp | undefined,
): Promise<'proved' | 'sent'> {
  const { resumeToken, saveResumeToken } = attempt
  const why = markOf(resumeToken).slice(1)
  if (why) {
    await saveResumeToken(`${unmarked(resumeToken)} `)
    throw new HoldfastError('rejected-by-store', `Two copies were sent in vain. ${why}`)
  }
  try {
    return await send()
  } catch (reason) {
    return refused(reason, attempt, undefined, counting?.())
  }
}
