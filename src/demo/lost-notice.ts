import type { Holdfast } from '../api.ts'
import { watchForLoss, type LostRecording } from '../storage/canary.ts'
import { announce } from './announce.ts'
import { button, byId, h } from './dom.ts'
import { setHidden } from './focus.ts'
import { formatClock, formatMoment } from './format.ts'
import { texts } from './texts.ts'

const words = texts.storage

/** What became of one recording that this device has no more. */
export function lostWords(lost: LostRecording): string {
  return words.lostOne(formatMoment(lost.startedAtMs), safeWords(lost))
}

function safeWords({ lengthMs, safeMs, isAllSafe, isConfirmed }: LostRecording): string {
  const isSafe = isConfirmed || isAllSafe
  if (lengthMs === 0) return isSafe ? words.lostUnmeasuredSafe : words.lostUnmeasured
  const length = formatClock(lengthMs)
  if (isSafe) return words.lostAllSafe(length)
  return safeMs > 0 ? words.lostSome(formatClock(safeMs), length) : words.lostNothingSafe(length)
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
      setHidden(notice, lost.length === 0)
      if (lost.length === 0) return
      what.textContent = words.lost(lost.length)
      list.replaceChildren(...lost.map((recording) => h('li', {}, lostWords(recording))))
      announce(words.lost(lost.length))
    },
  })
  notice.append(button(words.lostSeen, () => forget(), { class: 'soft', 'data-testid': 'lost-seen' }))
}
