import { isOurs } from '../src/protocol/parse.ts'
import type { LastChance } from './engine/context.ts'
import { atLast } from './adapters/browser/last-chance.ts'

export { atLast }

declare const self: ServiceWorkerGlobalScope

/**
 * What a person is told when only they can bring the uploads further.
 *
 * @param recordings how many wait
 */
export type Words = (recordings: number) => NotificationOptions & { readonly title: string }

/** Marks our notification, and makes a later one take its place. */
const NOTICE_TAG = 'holdfast'

const inEnglish: Words = (recordings) => ({
  title: `Recordings not uploaded yet: ${recordings}`,
  body: 'Open this app to go on.',
  requireInteraction: true,
})

/**
 * Tells a person that uploads wait for them: on the app's icon, and in a notification that opens the app, each where
 * it is permitted. Both are taken back when a page connects. Call it at the top level of the worker, for
 * `install({ lastChance: notice() })`.
 */
export function notice(words = inEnglish): LastChance {
  /** A worker that lived before this one may have. */
  let mayHaveTold = true

  self.addEventListener('notificationclick', (event) => {
    if (event.notification.tag === NOTICE_TAG) event.waitUntil(openApp())
  })
  self.addEventListener('message', (event) => {
    if (!mayHaveTold || !isOurs(event.data)) return
    mayHaveTold = false
    event.waitUntil(takeBack())
  })
  return atLast(async (recordings) => {
    mayHaveTold = true
    const { title, ...options } = words(recordings)
    await Promise.allSettled([
      navigator.setAppBadge?.(recordings),
      self.registration.showNotification?.(title, { ...options, tag: NOTICE_TAG }),
    ])
  })
}

async function openApp(): Promise<void> {
  await takeBack()
  await self.clients.openWindow(self.registration.scope)
}

async function takeBack(): Promise<void> {
  await navigator.clearAppBadge?.().catch(() => undefined)
  const shown = await self.registration.getNotifications?.({ tag: NOTICE_TAG })
  shown?.forEach((one) => one.close())
}
