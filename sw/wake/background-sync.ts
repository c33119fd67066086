import { Queue } from 'workbox-background-sync'
import type { Wake } from '../ports.ts'

declare const self: ServiceWorkerGlobalScope

const LADDER = 'holdfast-ladder:'

/** A fresh tag this often while a page is open and work remains, ms: each owns its attempts minutes later. */
const RUNG_MS = 60_000
/** Without a page a tag cannot be registered; try again no sooner than this, ms. */
const RETRY_MS = 5_000

export const isLadderTag = (tag: string) => tag.startsWith(LADDER)

/**
 * Wakes through Background Sync. The base tag is a workbox `Queue` with our `onSync`, which also drains at worker
 * start where Background Sync is missing; it holds no request. The ladder adds fresh tags, because a tag that waits
 * in back-off cannot be asked for again.
 *
 * @param onSync drains; rejects while work remains, so that the browser tries again
 */
export function backgroundSync(onSync: () => Promise<void>): Wake {
  const queue = new Queue('holdfast', { onSync })
  let nextMs = 0
  let based = false
  return {
    arm: async () => {
      const nowMs = Date.now()
      if (nowMs < nextMs) return
      nextMs = nowMs + RETRY_MS
      if (!based) await queue.registerSync()
      based = true
      try {
        await self.registration.sync.register(`${LADDER}${nowMs}`)
        nextMs = nowMs + RUNG_MS
      } catch {
        // No page is open, or this browser has no Background Sync: the tags that are out must do.
      }
    },
  }
}
