import { byId, setText } from './dom.ts'
import { texts } from './texts.ts'

/** As `sw/demo.ts` knows them; what is there are the words, in the person's language, which the worker does not know. */
const CACHE = 'holdfast-demo-choices'
const CHOICE = '/told-when-finished'

/** Lets a person choose to be told when uploads have finished while no page is open. Off by default. */
export function showFinishedNotice(): void {
  const box = byId('notify', HTMLInputElement)
  const words = byId('notify-words', HTMLElement)
  const isThere = 'Notification' in globalThis && 'caches' in globalThis
  byId('notify-field', HTMLElement).hidden = !isThere
  if (!isThere) return
  const isOn = async () => (await caches.match(CHOICE, { cacheName: CACHE })) !== undefined
  const set = async (wanted: boolean) => {
    const isAllowed = wanted && (await Notification.requestPermission()) === 'granted'
    const cache = await caches.open(CACHE)
    const told = { title: texts.privacy.finished, body: texts.privacy.finishedWords }
    if (isAllowed) await cache.put(CHOICE, new Response(JSON.stringify(told)))
    else await cache.delete(CHOICE)
    box.checked = isAllowed
    setText(words, wanted && !isAllowed ? texts.privacy.notifyOff : texts.privacy.notifyWords)
  }
  box.addEventListener('change', () => void set(box.checked))
  void isOn().then((on) => {
    box.checked = on && Notification.permission === 'granted'
  })
}
