/// <reference types="workbox-background-sync" />
import { REGISTER_INTERVAL_MS, isScheduledTag, planSyncTags } from '../../core/sync-schedule.ts'
import type { Clock, Wake } from '../../ports/platform.ts'

declare const self: ServiceWorkerGlobalScope

export const QUEUE = 'holdfast'
/** As workbox names the tag of a queue: with it or without, the tag that is out is the same. */
const BASE_TAG = `workbox-background-sync:${QUEUE}`

/** Whether a `sync` event is one of ours: the base tag's, which workbox hears as well, or the schedule's. */
export const isOurTag = (tag: string) => tag === BASE_TAG || isScheduledTag(tag)

/**
 * Wakes through Background Sync: a base tag, and a schedule of fresh ones, because a tag that waits in back-off cannot be
 * asked for again.
 *
 * @param registerBase how the base tag is registered
 */
export function backgroundSync(
  { now }: Clock,
  registerBase = () => self.registration.sync.register(BASE_TAG),
): Wake {
  const spent = new Set<string>()
  let askedAtMs = 0

  return {
    spent,

    async arm() {
      const nowMs = now()
      if (Math.abs(nowMs - askedAtMs) < REGISTER_INTERVAL_MS) return
      askedAtMs = nowMs
      try {
        const { sync } = self.registration
        const tags = await sync.getTags()
        if (!tags.includes(BASE_TAG)) {
          spent.delete(BASE_TAG)
          await registerBase()
        }
        for (const tag of planSyncTags(tags, nowMs)) await sync.register(tag)
      } catch {
        // No page is open, or this browser has no Background Sync: the tags that are out must do.
      }
    },
  }
}
