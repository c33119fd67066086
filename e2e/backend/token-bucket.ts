export interface TokenBucketOptions {
  /** Requests that a client may make at once. */
  readonly burst: number
  /** Requests that it may make in the long run, each second. */
  readonly perSecond: number
  /** ms, monotonic. Default: the process's own. */
  now?(): number
}

/** Bounds the requests of each client (token bucket). What it counts lives in memory. */
export interface TokenBuckets {
  /** Take one token of this client: 0 where it had one, else the time until it has, ms. */
  take(client: string): number
}

/** Clients of which something is kept; full buckets are forgotten first. */
const MAX_CLIENTS = 10_000

export function tokenBuckets({
  burst,
  perSecond,
  now = () => performance.now(),
}: TokenBucketOptions): TokenBuckets {
  const buckets = new Map<string, { readonly tokens: number; readonly atMs: number }>()
  const tokensAt = (client: string, nowMs: number) => {
    const bucket = buckets.get(client)
    return bucket ? Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond) : burst
  }
  return {
    take(client) {
      const nowMs = now()
      const tokens = tokensAt(client, nowMs)
      if (tokens < 1) return ((1 - tokens) / perSecond) * 1000
      // Newest last, so that the first have been silent longest.
      buckets.delete(client)
      buckets.set(client, { tokens: tokens - 1, atMs: nowMs })
      for (const other of buckets.keys()) {
        if (buckets.size <= MAX_CLIENTS && tokensAt(other, nowMs) < burst) break
        buckets.delete(other)
      }
      return 0
    },
  }
}
