/** What the browser says of this site's storage, as `navigator.storage.estimate()` does. */
export interface StorageEstimateBytes {
  readonly usage: number
  readonly quota: number
}

/** That storage runs low, and what is known of it. */
export interface StorageWarning {
  /** `little-room`: the browser's own figures say so. `backlog`: much waits here, whatever they say. */
  readonly reason: 'little-room' | 'backlog'
  readonly freeBytes: number
  /** Evidence on this device that uploads would free. */
  readonly localBytes: number
}

const FULL_SHARE = 0.8
const LITTLE_FREE_BYTES = 500_000_000
/** The browser's quota may be a promise that the disk cannot keep (Chromium: usage and 10 GiB): see our own ledger. */
const LARGE_BACKLOG_BYTES = 2_000_000_000

/**
 * Warns before the worker has to refuse a chunk with `storage-full`; undefined while there is room.
 *
 * @param localBytes the sum of `localBytes` of all sessions
 */
export function storageWarning(
  { usage, quota }: StorageEstimateBytes,
  localBytes: number,
): StorageWarning | undefined {
  const freeBytes = Math.max(0, quota - usage)
  if (quota > 0 && (usage / quota >= FULL_SHARE || freeBytes < LITTLE_FREE_BYTES))
    return { reason: 'little-room', freeBytes, localBytes }
  if (localBytes >= LARGE_BACKLOG_BYTES) return { reason: 'backlog', freeBytes, localBytes }
  return undefined
}
