import type { ErrorCode } from '../../../src/protocol/errors.ts'
import { httpError, isGone, type Answer } from '../../http/request.ts'

// What a tus server's answers say (tus 1.0), and what is wrong with those that do not.

/** Only a person can change that, who sets the server up. */
export const REJECTED = 'rejected-by-store'

/** Names of the checksum extension; the best first. The protocol demands `sha1` of all. */
const ALGORITHMS = ['sha256', 'sha1']

/** One of these is in every answer of a tus server to OPTIONS (tus 1.0, OPTIONS). */
const OPTIONS_HEADERS = ['Tus-Version', 'Tus-Resumable', 'Tus-Checksum-Algorithm']

const EXPOSE = `Expose Location, Upload-Offset, Upload-Length, ${OPTIONS_HEADERS}.`

export const badAnswer = (answer: Answer, what: string) => httpError(answer, what, 'bad-answer')

/**
 * @param code by default as of a server that is away: what has no header of the protocol's may be a network's sign-in page
 */
const hidden = (answer: Answer, header: string, code: ErrorCode = 'server-error') =>
  httpError(answer, ` without ${header}, or CORS hides it. ${EXPOSE}`, code)

function integerIn(answer: Answer, name: string, code?: ErrorCode): number {
  const header = answer.headers.get(name) ?? ''
  if (!/^\d+$/.test(header)) throw hidden(answer, name, code)
  return Number(header)
}

/** The checksum algorithm to use, by an answer to OPTIONS; empty without the extension. */
export function algorithmIn(answer: Answer): string {
  if (!answer.ok) throw httpError(answer)
  const { headers } = answer
  if (!OPTIONS_HEADERS.some((header) => headers.has(header))) throw hidden(answer, 'Tus-Version')
  const offered = new Set(headers.get('tus-checksum-algorithm')?.split(/\s*,\s*/))
  return ALGORITHMS.find((known) => offered.has(known)) ?? ''
}

/**
 * `HEAD` may say it by 403 too (tus 1.0, HEAD), as does a hook that lets nobody in; without the protocol's header it is
 * somebody else's refusal.
 */
const isAbsent = (answer: Answer) =>
  isGone(answer) || (answer.status === 403 && answer.headers.has('tus-resumable'))

/** How far an upload is, by an answer to HEAD; undefined if it is not there, NaN if it is one of another size. */
export function offsetIn(answer: Answer, sizeBytes: number): number | undefined {
  if (isAbsent(answer)) return undefined
  if (!answer.ok) throw httpError(answer)
  const offset = integerIn(answer, 'Upload-Offset')
  if (integerIn(answer, 'Upload-Length', REJECTED) !== sizeBytes) return NaN
  if (offset > sizeBytes) throw badAnswer(answer, ' with an offset beyond the length.')
  return offset
}

/** How far an upload is after a part, by an answer to PATCH. */
export function reachedIn(answer: Answer, from: number, end: number): number {
  if (!answer.ok) throw httpError(answer)
  const reached = integerIn(answer, 'Upload-Offset', 'bad-answer')
  // Where it has not moved the same bytes again would be taken no better.
  if (reached <= from || reached > end)
    throw badAnswer(
      answer,
      ` and offset ${reached} for a part from ${from} to ${end}: it takes none, or miscounts.`,
    )
  return reached
}
