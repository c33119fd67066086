import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { Attempt } from '../../ports/transport.ts'

// A resume token has no space, and after one stands what was counted: nothing after the first copy that was refused, and
// after the second why.

/** A resume token without what was counted. */
export const unmarked = (resumeToken = ''): string => resumeToken.replace(/ .*/s, '')

/** What was counted, for another resume token of the same upload. */
export const markOf = (resumeToken = ''): string => resumeToken.slice(unmarked(resumeToken).length)

type Copied = 'proved' | 'sent'

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
 * Stands before each copy, so that no third one is sent at the pace of retries: after two in a row that the store refused,
 * whoever comes to send the next is told so, having asked what is there; each trial, ever more rarely, may send one more.
 *
 * @throws HoldfastError `rejected-by-store`
 */
export async function mayBeSent({ resumeToken, saveResumeToken }: Attempt): Promise<void> {
  const why = markOf(resumeToken).slice(1)
  if (!why) return
  await saveResumeToken(`${unmarked(resumeToken)} `)
  throw new HoldfastError('rejected-by-store', `Two copies were refused. ${why}`)
}

/**
 * Sends the bytes, and counts it where the store refuses them, whether all of them had arrived or not, as nobody tells.
 * What was cut off, or put off by a server that is busy, does not count: that passes, and waits longer each time.
 */
export const counted = (attempt: Attempt, send: () => Promise<Copied>): Promise<Copied> =>
  send().catch((reason: unknown) => refused(reason, attempt))

/** Sends a copy, where that is one request. */
export async function twoCopies(attempt: Attempt, send: () => Promise<Copied>): Promise<Copied> {
  await mayBeSent(attempt)
  return counted(attempt, send)
}
