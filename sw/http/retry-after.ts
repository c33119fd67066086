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
