import { concat } from '../../src/evidence/bytes.ts'
import { HoldfastError, type ErrorCode } from '../../src/protocol/errors.ts'
import { following } from '../../src/protocol/following.ts'
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

export interface RequestLimits {
  readonly signal: AbortSignal
  /** From the start to the head of the answer, ms. */
  readonly deadlineMs: number
  /** Longest silence inside the answer's body, ms. */
  readonly silenceMs: number
  /** From the head of the answer to its end, ms. */
  readonly answerMs: number
  /** The answer's body may have so many bytes at most. */
  readonly maxBytes: number
}

/** The URL of a path below a base, which may end with a slash. */
export const under = (base: string, path: string): string => base.replace(/\/*$/, `/${path}`)

/**
 * One request with its answer, within limits; statuses are the caller's. The deadline moves with each piece of the
 * answer. It cannot move with the pieces of the request: `fetch` tells nothing of them.
 *
 * @throws HoldfastError `unreachable`, `timeout`, `aborted`; `bad-answer` for a body beyond `maxBytes`
 */
export async function request(url: string, init: RequestInit, limits: RequestLimits): Promise<Answer> {
  const { signal, deadlineMs, silenceMs, answerMs, maxBytes } = limits
  const { origin } = new URL(url)
  const late = following(signal)
  const within = (ms: number) => setTimeout(() => late.abort(), ms)
  let timer = within(deadlineMs)
  try {
    const response = await fetch(url, {
      ...init,
      // A copy in the browser's cache proves nothing about the store.
      cache: 'no-store',
      signal: late.signal,
    })
    const latestMs = performance.now() + answerMs
    const pieces: Uint8Array<ArrayBuffer>[] = []
    let read = 0
    // By hand, as not every browser can iterate a stream.
    const reader = response.body?.getReader()
    for (;;) {
      const piece = (await reader?.read())?.value
      if (!piece) break
      clearTimeout(timer)
      timer = within(Math.min(silenceMs, latestMs - performance.now()))
      pieces.push(piece)
      read += piece.byteLength
      if (read > maxBytes)
        throw new HoldfastError('bad-answer', `${origin} answered more than ${maxBytes} bytes.`)
    }
    const bytes = concat(...pieces)
    const { status, ok, headers } = response
    return {
      origin,
      url: response.url || url,
      status,
      ok,
      headers,
      bytes,
      // Most answers are asked for no text, and content is none.
      get text() {
        return new TextDecoder().decode(bytes)
      },
    }
  } catch (cause) {
    throw failureOf(origin, 'unreachable', cause, signal, late.signal)
  } finally {
    clearTimeout(timer)
    // Frees the connection of an answer that was not read to its end.
    late.abort()
  }
}

/**
 * What a failure of something that has a time and a signal means: its own word, a stop of ours, the time, or `code`.
 *
 * @param late aborts when the time is up, too
 */
export function failureOf(
  what: string,
  code: ErrorCode,
  cause: unknown,
  signal: AbortSignal,
  late: AbortSignal,
): HoldfastError {
  if (cause instanceof HoldfastError) return cause
  const met = signal.aborted ? 'aborted' : late.aborted ? 'timeout' : code
  return new HoldfastError(met, `${what}: ${met}.`, { cause })
}

/**
 * The JSON object that an answer is, or one of its lines.
 *
 * @throws HoldfastError `bad-answer` where it is none
 */
export function parseJsonObject({ origin, text }: Answer, json = text): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json)
    if (Object(value) === value) return value as Readonly<Record<string, unknown>>
  } catch {
    // Said below.
  }
  throw new HoldfastError('bad-answer', `${origin} answered no JSON object.`)
}

/** What an answer that the protocol gives no other meaning means for us (RFC 9110 §15, unless `code` says more). */
export function httpError(
  { origin, status, headers, text }: Answer,
  hint = '',
  code = codeOf(status),
): HoldfastError {
  const said = text === '' ? '' : `: ${redact(text)}`
  return new HoldfastError(code, `${origin} answered ${status}${said}${hint}`, {
    retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now(), headers.get('date')),
  })
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'sign-in-needed'
  if ([408, 425, 429].includes(status)) return 'throttled'
  // 423: another request holds the upload, perhaps our own last one, whose end the server has not noticed yet.
  if (status >= 500 || status === 423) return 'server-error'
  return status < 400 || [404, 409, 410, 412].includes(status) ? 'bad-answer' : 'rejected-by-store'
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
