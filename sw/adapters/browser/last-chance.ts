import { workRemains } from '../../core/plan.ts'
import type { LastChance } from '../../engine/context.ts'
import { isOurTag } from './background-sync.ts'

declare const self: ServiceWorkerGlobalScope

/**
 * Has somebody told when the browser will not wake the worker again though work is left: no page is open, and no tag of
 * ours is out. The custody log gets a line then. For `install({ lastChance: atLast(tell) })`, where `notice()` is not
 * what an app wants.
 *
 * @param tell with how many recordings wait for a page of the origin
 */
export function atLast(tell: (recordings: number) => Promise<void>): LastChance {
  let lastSpent: string | undefined
  return async ({ store, clock, wake: { spent } }, tag) => {
    spent.add(tag)
    lastSpent = tag
    const tags = await self.registration.sync.getTags()
    const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
    const isOut = tags.some((other) => isOurTag(other) && !spent.has(other))
    // Of several that end together one is the last.
    if (tag !== lastSpent || pages.length > 0 || isOut) return
    const recordings = await store.write(async (tx) => {
      const waiting = (await tx.openSessions()).filter(workRemains)
      await tx.addLog(waiting.map(({ id }) => ({ atMs: clock.now(), sessionId: id, event: 'last-chance' })))
      return waiting.length
    })
    await tell(recordings)
  }
}
