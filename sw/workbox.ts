import { Queue } from 'workbox-background-sync'
import { backgroundSync, QUEUE } from './adapters/browser/background-sync.ts'
import type { CreateWake } from './ports/platform.ts'

/**
 * Wakes whose base tag is a workbox `Queue`'s, for `install({ wake: workboxSync })`: for an app whose worker has
 * workbox-background-sync in it already. The queue holds no request. The tags are the same as without it, so an app may
 * change its mind while uploads wait.
 */
export const workboxSync: CreateWake = (clock, drain) => {
  // Where Background Sync is missing, workbox calls it from within this constructor: too early for what it drains.
  const queue = new Queue(QUEUE, { onSync: () => Promise.resolve().then(drain) })
  return backgroundSync(clock, () => queue.registerSync())
}
