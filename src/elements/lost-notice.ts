import type { Holdfast } from '../api.ts'
import { watchForLoss } from '../storage/canary.ts'
import { button, h, setText } from './dom.ts'
import { lostWords } from './lost-words.ts'
import { texts } from './texts.ts'

/**
 * Tells which recordings this device has lost, until a person has read it.
 *
 * @param goOn focuses what a person goes on with
 */
export function lostNotice(goOn: () => void) {
  const words = texts.lost
  const what = h('strong', {})
  const list = h('ul', {})
  let forget = () => {}
  const seen = button(words.seen, () => (forget(), goOn()))
  const element = h(
    'div',
    { class: 'notice notice-alert', part: 'lost', role: 'alert', hidden: true },
    h('div', {}, h('p', {}, what, ` ${words.next}`), list),
    seen,
  )
  return {
    element,
    watch(holdfast: Holdfast, signal: AbortSignal): void {
      const watching = watchForLoss(holdfast, {
        signal,
        onLost(lost) {
          element.hidden = lost.length === 0
          setText(what, words.what(lost.length))
          list.replaceChildren(...lost.map((recording) => h('li', {}, lostWords(recording))))
        },
      })
      forget = () => watching.forget()
    },
  }
}
