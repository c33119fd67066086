import type { HoldfastRecorder } from '../elements/recorder.ts'
import { byId, setText } from './dom.ts'
import { texts } from './texts.ts'

/** Held by each tab for as long as something waits in it. */
const BUSY = 'holdfast-demo-busy'

/** As `sw/demo.ts` knows it. */
const TAKE_OVER = { type: 'take-over' }

/**
 * Says on top that a new version waits, with a button that starts it: never while something waits in this page, and not
 * while another tab records. Left alone, it starts once no tab needs the old one.
 */
export function watchForUpdate(recorder: HoldfastRecorder): void {
  const words = byId('update-words', HTMLElement)
  const go = byId('update-go', HTMLButtonElement)
  let waiting: ServiceWorker | null = null
  const isBusy = () => recorder.state !== 'idle' || recorder.hasAttribute('data-unsaved')
  const show = () => {
    const isOffered = waiting !== null && !isBusy()
    words.hidden = go.hidden = !isOffered
    setText(words, isOffered ? texts.update.ready : '')
    document.body.classList.toggle('with-update', isOffered)
  }
  go.addEventListener('click', async () => {
    const isFree = await navigator.locks.request(BUSY, { ifAvailable: true }, async (lock) => lock !== null)
    if (!isFree) return setText(words, texts.update.otherTab)
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
    waiting?.postMessage(TAKE_OVER)
  })
  recorder.addEventListener('holdfast-recording', show)
  new MutationObserver(() => {
    holdWhile(isBusy())
    show()
  }).observe(recorder, { attributeFilter: ['data-state', 'data-unsaved'] })
  void navigator.serviceWorker.ready.then((registration) => {
    const look = () => {
      waiting = registration.waiting
      show()
    }
    look()
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', look)
    })
  })
}

let letGo: (() => void) | undefined

function holdWhile(busy: boolean): void {
  if (busy === (letGo !== undefined)) return
  letGo?.()
  letGo = undefined
  if (!busy) return
  const over = new Promise<void>((resolve) => {
    letGo = resolve
  })
  void navigator.locks.request(BUSY, { mode: 'shared' }, () => over)
}
