import type { Holdfast } from '../api.ts'
import { watchForLoss, type LostRecording } from '../storage/canary.ts'
import { announce } from './announce.ts'
import { button, byId, h } from './dom.ts'
import { formatClock, formatMoment } from './format.ts'
import { texts } from './texts.ts'

const words = texts.storage

/** What became of one recording that this device has no more. */
export function lostWords({ startedAtMs, lengthMs, safeMs, isConfirmed }: LostRecording): string {
  const length = formatClock(lengthMs)
  const isSafe = isConfirmed || safeMs >= lengthMs
  const safe = isSafe
    ? words.lostAllSafe(length)
    : safeMs > 0
      ? words.lostSome(formatClock(safeMs), length)
      : words.lostNothingSafe(length)
  return words.lostOne(formatMoment(startedAtMs), safe)
}

/** Tells which recordings this device has lost, until a person has read it. */
export function showLost(holdfast: Holdfast): void {
  const list = h('ul', {})
  const what = h('strong', {})
  const notice = h(
    'div',
    { class: 'notice notice-wait', role: 'alert', 'data-testid': 'lost-notice', hidden: true },
    h('div', {}, h('p', {}, what), list),
  )
  // First of all, and over the whole width.
  notice.style.gridColumn = '1 / -1'
  byId('failure', HTMLElement).after(notice)
  const { forget } = watchForLoss(holdfast, {
    onLost(lost) {
      notice.hidden = lost.length === 0
      if (lost.length === 0) return
      what.textContent = words.lost(lost.length)
      list.replaceChildren(...lost.map((recording) => h('li', {}, lostWords(recording))))
      announce(words.lost(lost.length))
    },
  })
  notice.append(button(words.lostSeen, () => forget(), { class: 'soft', 'data-testid': 'lost-seen' }))
}
