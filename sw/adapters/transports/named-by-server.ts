import { httpError, type Answer } from '../../http/request.ts'
import type { AdaptiveTimeout, TimedRequest } from '../../http/adaptive-timeout.ts'
import type { RemoteState } from '../../ports/transport.ts'
import { noSignIn, withAuth, type Authorize } from '../../http/with-auth.ts'

// Stores that answer a creation with the URL at which the upload is.

export type Call = (
  method: string,
  url: string,
  request: Omit<TimedRequest, 'bodyBytes'>,
  headers?: Readonly<Record<string, string>>,
  body?: Uint8Array<ArrayBuffer> | Blob,
) => Promise<Answer>

/** Requests to an endpoint and to what it named: the sign-in is given to the endpoint's own origin alone. */
export const callsOf =
  (http: AdaptiveTimeout, endpoint: string, authorize: Authorize | undefined): Call =>
  (method, url, request, headers, body) => {
    const mayKnow = new URL(url).origin === new URL(endpoint).origin
    return withAuth(
      (mayKnow && authorize) || noSignIn,
      (authorization) =>
        http.request(
          url,
          { method, headers: { ...headers, ...authorization }, ...(body && { body }) },
          { bodyBytes: body instanceof Blob ? body.size : (body?.byteLength ?? 0), ...request },
        ),
      request.signal,
    )
  }

/**
 * The URL of what an answer created, relative to where that came from at last.
 *
 * @throws HoldfastError `rejected-by-store` where it tells none, one that cannot be asked, or one that gives up TLS:
 *   who sets the server up can change that
 */
export function locationIn(answer: Answer): string {
  const location = answer.headers.get('location')
  const refusal = (what: string) => httpError(answer, what, 'rejected-by-store')
  if (!location) throw refusal(' and no Location, or CORS hides it.')
  let found = ''
  try {
    found = new URL(location, answer.url).href
  } catch {
    // Refused below.
  }
  // `fetch` takes no other scheme, and no name and password.
  const askable = answer.url.startsWith('https:') ? /^https:..[^/@]+\// : /^https?:..[^/@]+\//
  if (!askable.test(found))
    throw refusal(' and a Location that cannot be asked, or that gives up TLS (see X-Forwarded-Proto).')
  return found
}

/** An upload that is not there, or no more. */
export const isGone = ({ status }: Answer) => status === 404 || status === 410

/**
 * Which failures count against a copy: none before a byte of it leaves; and where the store has a part, none by which it
 * was cut off or put off, as it goes on from there.
 */
export const countedOf = (held: RemoteState | undefined, hasBegun: boolean) =>
  hasBegun ? (held?.kind === 'part' && held.offsetBytes > 0 ? /server|bad|mism/ : undefined) : /^$/
