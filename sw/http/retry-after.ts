/**
 * `Retry-After` in ms, from seconds, an HTTP date (RFC 9110 §10.2.3) or, as some servers have it, a date of ISO 8601;
 * undefined if it is absent, none of these, or over. The error that carries it counts an hour at most. A date counts from the
 * answer's own `Date`, as our clock may be wrong, and from ours where CORS hides that.
 */
export function retryAfterMs(headers: Headers, nowMs = Date.now()): number | undefined {
  const asked = headers.get('retry-after')!
  const ms = /^\d+$/.test(asked)
    ? Number(asked) * 1000
    : timeOf(asked) - (timeOf(headers.get('date')) || nowMs)
  return ms >= 0 ? ms : undefined
}

/**
 * A date, whose oldest form ends with the year, and names no zone (RFC 9110 §5.6.7); `Date.parse` alone reads `soon 5` as
 * one.
 */
const timeOf = (text: string | null) => Date.parse(/:/.test(text!) ? text!.replace(/ \d+$/, '$& GMT') : '')
