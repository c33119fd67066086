import type { Context } from '../context.ts'
import { workRemains } from '../core/plan.ts'

declare const self: ServiceWorkerGlobalScope

/**
 * What a person is told when only they can bring the uploads further.
 *
 * @param recordings how many wait
 */
export type Notice = (recordings: number) => NotificationOptions & { readonly title: string }

/** Marks our notification, and makes a later one take its place. */
const NOTICE_TAG = 'holdfast'

const inEnglish: Notice = (recordings) => ({
  title: `Recordings not uploaded yet: ${recordings}`,
  body: 'Open this app to go on.',
})

/**
 * The browser grants no further attempt and no page is open: says so in the log, on the app's icon, and in a
 * notification, each where it is permitted.
 */
export async function tellLastChance({ store, clock }: Context, notice = inEnglish): Promise<void> {
  const waiting = await store.write(async (tx) => {
    const waiting = (await tx.openSessions()).filter(workRemains)
    for (const { id } of waiting) await tx.addLog({ atMs: clock.now(), sessionId: id, event: 'last-chance' })
    return waiting.length
  })
  const { title, ...options } = notice(waiting)
  await Promise.allSettled([
    navigator.setAppBadge?.(waiting),
    self.registration.showNotification(title, { ...options, tag: NOTICE_TAG }),
  ])
}

/** Opens the app, where the notification is ours. */
export async function openApp({ notification }: NotificationEvent): Promise<void> {
  if (notification.tag !== NOTICE_TAG) return
  notification.close()
  await self.clients.openWindow(self.registration.scope)
}
