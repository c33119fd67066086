import type { LostRecording } from '../storage/canary.ts'
import { formatClock, formatMoment } from './format.ts'
import { texts } from './texts.ts'

/** What became of one recording that this device has no more. */
export function lostWords(lost: LostRecording): string {
  return `${formatMoment(lost.startedAtMs)}: ${safeWords(lost)}`
}

function safeWords({ lengthMs, safeMs, isAllSafe, isConfirmed }: LostRecording): string {
  const words = texts.lost
  const isSafe = isConfirmed || isAllSafe
  if (lengthMs === 0) return isSafe ? words.unmeasuredSafe : words.unmeasured
  const length = formatClock(lengthMs)
  if (isSafe) return words.allSafe(length)
  return safeMs > 0 ? words.some(formatClock(safeMs), length) : words.nothingSafe(length)
}
