import type { ErrorCode, HoldfastError } from '../../../src/protocol/errors.ts'
import type { Answer } from '../../http/request.ts'
import type { AdaptiveTimeout, TimedRequest } from '../../http/adaptive-timeout.ts'
import { withAuth, type Authorize } from '../../http/with-auth.ts'

// Stores that answer a creation with the URL at which the upload is.

export type Call = (
  method: string,
  url: string,
  request: TimedRequest,
  headers?: Readonly<Record<string, string>>,
  body?: Uint8Array<ArrayBuffer>,
) => Promise<Answer>

/** Requests to an endpoint and to what it named: the sign-in is given to the endpoint's own origin alone. */
export const callsOf =
  (http: AdaptiveTimeout, endpoint: string, authorize: Authorize | undefined): Call =>
  (method, url, request, headers, body) => {
    const mayKnow = new URL(url).origin === new URL(endpoint).origin
    return withAuth(
      async (reason) => (mayKnow ? authorize?.({ reason }) : undefined),
      (authorization) =>
        http.request(
          url,
          { method, headers: { ...headers, ...authorization }, ...(body && { body }) },
          request,
        ),
      request.signal,
    )
  }

/** Why the transport cannot go on with a server that answered so. */
type Failure = (what: string, code?: ErrorCode) => HoldfastError

/**
 * The URL that an answer names by `Location`, relative to where it came from at last.
 *
 * @throws HoldfastError `rejected-by-store` for one that cannot be asked, or that gives up TLS
 */
export function urlIn(answer: Answer, location: string, failure: Failure): string {
  let found = ''
  try {
    found = new URL(location, answer.url).href
  } catch {
    // Refused below.
  }
  // `fetch` takes no other, and none with a name and password.
  if (!/^https?:\/\/[^/@]+\//.test(found))
    throw failure('a Location that cannot be asked', 'rejected-by-store')
  if (found.startsWith('http:') && answer.origin.startsWith('https:'))
    throw failure('a Location without TLS; it is to heed X-Forwarded-Proto', 'rejected-by-store')
  return found
}

/** An upload that is not there, or no more. */
export const isGone = ({ status }: Answer) => status === 404 || status === 410
