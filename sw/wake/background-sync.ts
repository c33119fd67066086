import { Queue } from 'workbox-background-sync'
import { isRung, planWakes, RETRY_MS } from '../core/wake-plan.ts'
import type { Wake } from '../ports.ts'

declare const self: ServiceWorkerGlobalScope

const QUEUE = 'holdfast'
/** As workbox names the tag of a queue. */
const BASE_TAG = `workbox-background-sync:${QUEUE}`

/** Whether a `sync` event is one of ours: the base tag's, which workbox hears as well, or the ladder's. */
export const isOurTag = (tag: string) => tag === BASE_TAG || isRung(tag)

/**
 * Wakes through Background Sync. The base tag is a workbox `Queue` with our `onSync`, which also drains at worker
 * start where Background Sync is missing; it holds no request. The ladder adds fresh tags, because a tag that waits
 * in back-off cannot be asked for again.
 *
 * @param onSync drains; rejects while work remains, so that the browser tries again
 */
export function backgroundSync(onSync: () => Promise<void>): Wake {
  const queue = new Queue(QUEUE, { onSync })
  const tagsOut = () => self.registration.sync.getTags()
  /** Tags whose last attempt has ended, though the browser may still list them. */
  const spent = new Set<string>()
  let askAtMs = 0
  let alone = false

  return {
    async arm() {
      const nowMs = Date.now()
      if (nowMs < askAtMs) return
      askAtMs = nowMs + RETRY_MS
      try {
        const tags = await tagsOut()
        alone = !(await pageIsOpen())
        const { register, askAtMs: atMs } = planWakes({ nowMs, page: !alone, tags })
        if (!tags.includes(BASE_TAG)) await queue.registerSync()
        for (const tag of register) await self.registration.sync.register(tag)
        askAtMs = atMs
      } catch {
        // The page went meanwhile, or this browser has no Background Sync: the tags that are out must do.
      }
    },

    visited() {
      if (alone) askAtMs = 0
    },

    async isLast(tag) {
      spent.add(tag)
      const left = (await tagsOut()).some((other) => isOurTag(other) && !spent.has(other))
      return !left && !(await pageIsOpen())
    },
  }
}

async function pageIsOpen(): Promise<boolean> {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  return pages.length > 0
}
