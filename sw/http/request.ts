import { HoldfastError, type ErrorCode } from '../../src/protocol/errors.ts'
import { retryAfterMs } from './retry-after.ts'

/** A server's answer, read in full. */
export interface Answer {
  /** For messages: no path, no query. */
  readonly origin: string
  /** Where it came from at last, after redirects. */
  readonly url: string
  readonly status: number
  /** 200 to 299. */
  readonly ok: boolean
  readonly headers: Headers
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly text: string
}

/**
 * The URL of a request, in full: a worker may be given one that is relative to its own, and begins with a slash or a dot. A
 * host without its scheme would be such a path.
 *
 * @throws HoldfastError `bad-input` where no request can be made of it: `fetch` tells that like a network that is gone
 */
export function requestUrl(url: string, init?: RequestInit): URL {
  try {
    // Without its body, of which it would make a copy.
    if (/^(https?:|[./])/i.test(url)) return new URL(new Request(url, { ...init, body: null }).url)
  } catch {
    // What the platform says of it names what may be a secret.
  }
  throw new HoldfastError('bad-input', 'No https:// URL, or a bad header.')
}

/** The URL of a path below a base, which may end with a slash. */
export const under = (base: string, path: string): string => base.replace(/\/*$/, `/${path}`)

/**
 * Work with a time limit and a signal. When either ends it, nobody waits any longer, whether it stops or not.
 *
 * @param work its signal aborts with ours and when the time is up, which it sets by `endIn`, ms from now
 * @param otherwise what a failure means that is neither ours, nor our stop, nor the time, nor a TypeError, which is what
 *   a `fetch` without network throws
 */
export async function withTimeout<T>(
  what: string,
  signal: AbortSignal,
  work: (until: AbortSignal, endIn: (ms: number) => void) => Promise<T>,
  otherwise: ErrorCode = 'bad-answer',
): Promise<T> {
  const late = new AbortController()
  const until = late.signal
  let timer: ReturnType<typeof setTimeout> | undefined
  const endIn = (ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => late.abort(), ms)
  }
  try {
    signal.throwIfAborted()
    signal.addEventListener('abort', () => late.abort(), { signal: until })
    return await new Promise<T>((resolve, reject) => {
      until.addEventListener('abort', reject)
      work(until, endIn).then(resolve, reject)
    })
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause
    const code = signal.aborted
      ? 'aborted'
      : until.aborted
        ? 'timeout'
        : cause instanceof TypeError
          ? 'unreachable'
          : otherwise
    throw new HoldfastError(code, `${what}: ${code}.`, { cause })
  } finally {
    clearTimeout(timer)
    // Frees the connection of an answer that was not read to its end.
    late.abort()
  }
}

/**
 * The JSON object that an answer is.
 *
 * @throws HoldfastError `bad-answer` where it is none
 */
export function parseJsonObject({ origin, text }: Answer): Readonly<Record<string, unknown>> {
  try {
    // No member takes the place of one that every object has, such as `toString`: any value may be told in a text.
    const value: unknown = JSON.parse(text, (key, member: unknown) => (key in {} ? undefined : member))
    if (Object(value) === value) return value as Readonly<Record<string, unknown>>
  } catch {
    // Said below.
  }
  throw new HoldfastError('bad-answer', `${origin} answered no JSON object.`)
}

/** What is asked for is not there, or no more. */
export const isGone = ({ status }: Pick<Answer, 'status'>) => [404, 410].includes(status)

/** What an answer that the protocol gives no other meaning means for us (RFC 9110 §15, unless `code` says more). */
export function httpError(answer: Answer, hint = '', code = codeOf(answer)): HoldfastError {
  const { origin, status, headers, text } = answer
  return new HoldfastError(
    code,
    // Browsers show a redirect as status 0.
    `${origin} answered ${status % 300 < 100 ? 'a redirect: name that address' : status}${text && `: ${redact(text)}`}${hint}`,
    { retryAfterMs: retryAfterMs(headers) },
  )
}

/** The failure that a status is. */
export function codeOf({ ok, status }: Answer): ErrorCode {
  if ([401, 403].includes(status)) return 'sign-in-needed'
  // 423: another request holds the upload, perhaps our own last one, whose end the server has not noticed yet.
  if ([408, 423, 425, 429].includes(status)) return 'throttled'
  if (status >= 500) return 'server-error'
  return ok || [404, 409, 410, 412].includes(status) ? 'bad-answer' : 'rejected-by-store'
}

/**
 * Stores repeat tokens, keys and signatures in their errors: whatever may be one goes, as messages are kept. Letters in
 * the place of an error code stay: `<Code>…`, `"code": "…"`, `"reason": "…"`.
 */
export const redact = (text: string): string =>
  text
    .replace(
      /((?:code|error|reason)"?[>:]\s*"?[a-z_.]+(?![\w+/=~%-]))|[\w+/=.~%-]{16,}/gi,
      (_, code) => code ?? '…',
    )
    .slice(0, 200)
