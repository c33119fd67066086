import { concat } from '../evidence/bytes.ts'

/** How a request ended; `body` is there only for a 2xx answer. */
export type Answer =
  | { readonly kind: 'ok'; readonly status: number; readonly body: Uint8Array<ArrayBuffer> }
  | {
      readonly kind: 'status'
      readonly status: number
      /** Where it asks to wait, in seconds (`Retry-After`); a date would be by a clock that may be wrong. */
      readonly retryAfterMs?: number
    }
  | { readonly kind: 'too-long' }
  | {
      readonly kind: 'failed'
      readonly reason: string
      readonly cause: unknown
      /** No word for longer than is waited. */
      readonly isSilence: boolean
    }

const FIRST_BYTES = 64 * 1024

/**
 * Slower than this, on the whole, is a silence: else a server that drips would hold a reader up for ever. Far below what
 * one of many requests gets over the slowest line.
 */
const LEAST_BYTES_PER_MS = 0.1

/** How long a server that nobody trusts may be waited for. */
export interface Limits {
  /**
   * Longest silence, in ms: until the answer starts, then between any two pieces of it. One that takes longer, and comes
   * with less than 100 bytes a second, is one too.
   */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export interface Bounds extends Limits {
  /** The body is read no further than this. */
  readonly maxBytes: number
  /** How many bytes it should have. */
  readonly sizeBytes?: number | undefined
}

async function read(
  response: Response,
  { maxBytes, sizeBytes = FIRST_BYTES }: Bounds,
  heard: (bytes: number) => void,
): Promise<Answer> {
  const { status } = response
  const reader = response.body?.getReader()
  if (reader === undefined) return { kind: 'ok', status, body: new Uint8Array() }
  // Doubles as needed: a server that sends single bytes must not cost an object for each.
  let held = new Uint8Array(Math.min(sizeBytes, maxBytes))
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return { kind: 'ok', status, body: length === held.length ? held : held.slice(0, length) }
    heard(length + value.length)
    if (length + value.length > maxBytes) return { kind: 'too-long' }
    if (length + value.length > held.length) {
      held = concat(held, new Uint8Array(Math.max(held.length, value.length)))
    }
    held.set(value, length)
    length += value.length
  }
}

/**
 * One bounded request: it settles in time and in memory, whatever the server does. Where the connection broke, or the
 * server failed, it is sent once more: one may close a connection that was kept open just when it is used, and behind one
 * name are machines of which one is away.
 *
 * @throws the signal's reason when the caller aborts; every other end is an `Answer`
 */
export async function request(url: string, init: RequestInit, bounds: Bounds): Promise<Answer> {
  const answer = await requestOnce(url, init, bounds)
  return hasBroken(answer) ? requestOnce(url, init, bounds) : answer
}

function hasBroken(answer: Answer): boolean {
  if (answer.kind === 'failed') return !answer.isSilence
  if (answer.kind !== 'status' || answer.retryAfterMs !== undefined) return false
  // 504 comes late, and again as late: of an IPFS gateway it says that it has found nobody with the object.
  return answer.status >= 500 && answer.status !== 504
}

async function requestOnce(url: string, init: RequestInit, bounds: Bounds): Promise<Answer> {
  const { signal, timeoutMs } = bounds
  signal?.throwIfAborted()
  const ending = new AbortController()
  const abort = () => ending.abort(signal?.reason)
  signal?.addEventListener('abort', abort)
  let silence: ReturnType<typeof setTimeout> | undefined
  const silent = () => ending.abort(new Error(`no word for ${timeoutMs} ms`))
  const began = performance.now()
  const heard = (bytes: number) => {
    clearTimeout(silence)
    const isDrip = bytes < (performance.now() - began - 2 * timeoutMs) * LEAST_BYTES_PER_MS
    if (isDrip) silent()
    else silence = setTimeout(silent, timeoutMs)
  }
  heard(0)
  try {
    const response = await fetch(url, { ...init, signal: ending.signal })
    heard(0)
    if (!response.ok) {
      const asked = response.headers.get('retry-after') ?? ''
      const wait = /^\d{1,6}$/.test(asked) && { retryAfterMs: 1_000 * Number(asked) }
      return { kind: 'status', status: response.status, ...wait }
    }
    return await read(response, bounds, heard)
  } catch (cause) {
    signal?.throwIfAborted()
    const thrown: unknown = ending.signal.aborted ? ending.signal.reason : cause
    const inner = thrown instanceof Error && thrown.cause instanceof Error ? `: ${thrown.cause.message}` : ''
    const reason = `${thrown instanceof Error ? thrown.message : String(thrown)}${inner}`
    return { kind: 'failed', reason, cause, isSilence: ending.signal.aborted }
  } finally {
    clearTimeout(silence)
    signal?.removeEventListener('abort', abort)
    // Frees the connection of an answer that was not read to its end.
    ending.abort()
  }
}
