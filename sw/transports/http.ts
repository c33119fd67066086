import { HoldfastError, type ErrorCode } from '../../src/protocol/errors.ts'

export interface RequestLimits {
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

/**
 * A `fetch` that fails in our terms: by the network, by time, or by our own stop. Statuses are the caller's.
 *
 * @throws HoldfastError `unreachable`, `timeout`, `aborted`
 */
export async function request(
  url: string,
  init: RequestInit,
  { signal, timeoutMs }: RequestLimits,
): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    return await fetch(url, { ...init, signal: AbortSignal.any([signal, timeout]) })
  } catch (cause) {
    throw networkError(url, cause, signal, timeout.aborted)
  }
}

/** A failed `fetch`, or a body that broke off, in our terms. */
function networkError(url: string, cause: unknown, signal: AbortSignal, tookTooLong: boolean): HoldfastError {
  const { origin } = new URL(url)
  if (signal.aborted) return new HoldfastError('aborted', `The request to ${origin} was stopped.`, { cause })
  if (tookTooLong) return new HoldfastError('timeout', `${origin} took too long.`, { cause })
  return new HoldfastError('unreachable', `${origin} cannot be reached.`, { cause })
}

/** What an HTTP status means for us (RFC 9110 §15). */
export function statusError(response: Response, body: string): HoldfastError {
  const code = codeOf(response.status)
  const { origin } = new URL(response.url)
  const said = body === '' ? '' : `: ${body.slice(0, 200)}`
  return new HoldfastError(code, `${origin} answered ${response.status}${said}`, {
    retryAfterMs: retryAfterMs(response.headers.get('retry-after'), Date.now()),
  })
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'sign-in-needed'
  if (status === 408 || status === 425 || status === 429) return 'throttled'
  if (status >= 500) return 'server-error'
  if (status === 404 || status === 409 || status === 410) return 'bad-answer'
  return 'rejected-by-store'
}

/** Longest wait that a server can ask for, ms. */
const LONGEST_WAIT_MS = 24 * 60 * 60 * 1000

/**
 * `Retry-After` in ms, from seconds or an HTTP date (RFC 9110 §10.2.3); 0 if absent or unreadable.
 */
export function retryAfterMs(header: string | null, nowMs: number): number {
  if (header === null) return 0
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), LONGEST_WAIT_MS)
}

/**
 * The body as text.
 *
 * @param signal that of the request
 * @throws HoldfastError `unreachable`, `timeout`, `aborted` for a body that breaks off
 */
export async function textOf(response: Response, signal: AbortSignal): Promise<string> {
  try {
    return await response.text()
  } catch (cause) {
    throw networkError(response.url, cause, signal, isStop(cause))
  }
}

/** An abort or a timeout: which of the two an unfinished body tells depends on the browser. */
const isStop = (cause: unknown) =>
  cause instanceof DOMException && (cause.name === 'TimeoutError' || cause.name === 'AbortError')
