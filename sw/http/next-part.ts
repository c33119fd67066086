import type { AdaptiveTimeout } from './adaptive-timeout.ts'
import { PART_MS, SMALLEST_BYTES } from './http-limits.ts'

/** Bytes of the next part, such that its deadline stays below 30 s; at most `mostBytes`. */
export const nextPartBytes = (http: AdaptiveTimeout, mostBytes: number): number =>
  Math.min(mostBytes, Math.max(SMALLEST_BYTES, Math.floor(http.bytesPerMs() * PART_MS)))
