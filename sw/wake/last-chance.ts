import type { Context } from '../context.ts'
import { workRemains } from '../core/plan.ts'

declare const self: ServiceWorkerGlobalScope

/** What a person is told when only they can bring the uploads further. */
export type Notice = (recordings: number) => NotificationOptions & { readonly title: string }

/** Marks our notification, and makes a later one take its place. */
const NOTICE_TAG = 'holdfast'

const inEnglish: Notice = (recordings) => ({
  title: 'Uploads are waiting for you',
  body: `${recordings === 1 ? 'A recording is' : `${recordings} recordings are`} still only on this device. Open this app to go on.`,
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

/** A person is here: the app says what waits. */
export const clearNotice = () => void navigator.clearAppBadge?.().catch(() => undefined)

/** Opens the app, where the notification is ours. */
export async function openApp({ notification }: NotificationEvent): Promise<void> {
  if (notification.tag !== NOTICE_TAG) return
  notification.close()
  const [page] = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  await (page ? page.focus() : self.clients.openWindow(self.registration.scope))
}
