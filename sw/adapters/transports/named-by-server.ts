import type { HoldfastError } from '../../../src/protocol/errors.ts'
import { codeOf, httpError, requestUrl, type Answer } from '../../http/request.ts'
import type { AdaptiveTimeout, TimedRequest } from '../../http/adaptive-timeout.ts'
import { withAuth, type Authorize } from '../../http/with-auth.ts'

// Stores that answer a creation with the URL at which the upload is.

export type Call = (
  method: string,
  url: string,
  request: Omit<TimedRequest, 'bodyBytes'>,
  headers?: Readonly<Record<string, string>>,
  body?: Uint8Array<ArrayBuffer> | Blob,
) => Promise<Answer>

/** Supabase and others tell by 400 that a token has expired. */
const isOfToken = ({ status, text }: Answer) => status === 400 && /jwt|unauthori|expired/i.test(text)

/**
 * Requests to an endpoint and to what it named: the sign-in is given to the endpoint's own origin alone.
 *
 * @throws HoldfastError `bad-input` where the endpoint is no URL
 */
export const callsOf = (http: AdaptiveTimeout, endpoint: string, authorize: Authorize | undefined): Call => {
  const { origin } = requestUrl(endpoint)
  return async (method, url, request, headers, body) => {
    const answer = await withAuth(
      requestUrl(url).origin === origin ? authorize : undefined,
      (authorization) =>
        http.request(
          url,
          { method, headers: { ...headers, ...authorization }, body: body! },
          { bodyBytes: (body as Blob)?.size ?? (body as Uint8Array)?.byteLength, ...request },
        ),
      request.signal,
      (refused) => codeOf(refused) === 'sign-in-needed' || isOfToken(refused),
    )
    if (isOfToken(answer)) throw httpError(answer, '', 'sign-in-needed')
    return answer
  }
}

/**
 * The URL of what an answer created, relative to where that came from at last.
 *
 * @param reach asks for what is elsewhere, which may be a name that only the server's own network knows
 * @throws HoldfastError `rejected-by-store` where a 201 tells none, one that cannot be asked or reached, or one that gives up
 *   TLS: who sets the server up can change that; `server-error` where another success does
 */
export async function locationIn(answer: Answer, reach: (url: string) => Promise<unknown>): Promise<string> {
  const location = answer.headers.get('location')
  try {
    const url = location ? new URL(location, answer.url).href.replace(/#.*/, '') : ''
    // `http` or `https` where that was asked, `https` where that was.
    if (url.startsWith(answer.url.split(':')[0]!)) {
      // Also what has a name and a password, which `fetch` does not take.
      if (!url.startsWith(`${answer.origin}/`)) await reach(url)
      return url
    }
  } catch (error) {
    if ((error as HoldfastError).code === 'aborted') throw error
  }
  throw httpError(
    answer,
    ' and no Location, or CORS hides it, or it cannot be reached (see X-Forwarded-Proto).',
    // Any other success is of something between us, such as a network's sign-in page, which passes.
    answer.status === 201 ? 'rejected-by-store' : 'server-error',
  )
}
