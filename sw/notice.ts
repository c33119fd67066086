import type { LastChance } from './engine.ts'

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
})

/**
 * Tells a person that uploads wait for them: on the app's icon, and in a notification that opens the app, each where
 * it is permitted. Call it at the top level of the worker, for `install({ lastChance: notice() })`.
 */
export function notice(words = inEnglish): LastChance {
  self.addEventListener('notificationclick', (event) => {
    if (event.notification.tag === NOTICE_TAG) event.waitUntil(openApp(event.notification))
  })
  return async (recordings) => {
    const { title, ...options } = words(recordings)
    await Promise.allSettled([
      navigator.setAppBadge?.(recordings),
      self.registration.showNotification(title, { ...options, tag: NOTICE_TAG }),
    ])
  }
}

async function openApp(notification: Notification): Promise<void> {
  notification.close()
  await navigator.clearAppBadge?.().catch(() => undefined)
  await self.clients.openWindow(self.registration.scope)
}
