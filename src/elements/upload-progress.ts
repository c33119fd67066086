import type { SessionSnapshot, UploadProgress } from '../protocol/snapshot.ts'
import { h, setAttributes, setText, type View } from './dom.ts'
import { BYTE_UNITS, unitOf } from './format.ts'
import { texts } from './texts.ts'

/** How far a session's upload is, as a bar and in words; there only while bytes are still to be sent. */
export function uploadProgress(): View<SessionSnapshot> {
  const bar = h('progress', { 'aria-label': texts.upload.bar })
  // Read with the bar, when a person comes to it: told at each part, it would never end.
  const words = h('p', { class: 'bar-words', 'aria-hidden': 'true' })
  const element = h('div', { class: 'upload' }, bar, words)
  return {
    element,
    update(session) {
      const { progress } = session
      const { storedBytes, totalBytes } = progress
      element.hidden = storedBytes >= totalBytes
      const text = uploadWords(progress, isMoving(session))
      setText(words, text)
      setAttributes(bar, { max: Math.max(totalBytes, 1), value: storedBytes, 'aria-valuetext': text })
    },
  }
}

const isMoving = ({ paused, retryAtMs, progress }: SessionSnapshot) =>
  !paused && retryAtMs === undefined && progress.bytesPerSecond > 0

/**
 * `12.3 of 40 MB, 2.1 Mbit/s, about 2 min left`, numbers as the reader writes them.
 *
 * @param moving without, only the bytes
 */
export function uploadWords(progress: UploadProgress, moving: boolean, locale?: string): string {
  const { storedBytes, totalBytes, bytesPerSecond, timeLeftMs } = progress
  const parts = [bytesOf(storedBytes, totalBytes, locale)]
  if (moving) parts.push(rate(bytesPerSecond * 8, locale))
  if (moving && timeLeftMs !== undefined) parts.push(timeLeft(timeLeftMs / 1_000, locale))
  return parts.join(', ')
}

/** Both in the unit of the larger one, with a digit after the point where it tells something. */
function bytesOf(some: number, all: number, locale?: string): string {
  const unit = unitOf(all)
  const digits = unit > 0 && all / 1000 ** unit < 99.5 ? 1 : 0
  const format = new Intl.NumberFormat(locale, { maximumFractionDigits: digits })
  const [done, total] = [some, all].map((bytes) => format.format(bytes / 1000 ** unit))
  return texts.upload.of(`${done}`, `${total} ${BYTE_UNITS[unit]}`)
}

function rate(bitsPerSecond: number, locale?: string): string {
  const [value, unit] =
    bitsPerSecond < 999_500 ? [bitsPerSecond / 1e3, 'kbit/s'] : [bitsPerSecond / 1e6, 'Mbit/s']
  const digits = unit === 'Mbit/s' && value < 9.95 ? 1 : 0
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)} ${unit}`
}

/** Rounded up, and coarser the longer it takes: a rate is no promise. */
function timeLeft(seconds: number, locale?: string): string {
  if (seconds <= 10) return texts.upload.soon
  const [value, unit] =
    seconds <= 50
      ? [Math.ceil(seconds / 10) * 10, 's']
      : seconds <= 3_570
        ? [Math.ceil(seconds / 60), 'min']
        : [Math.ceil(seconds / 360) / 10, 'h']
  return texts.upload.left(`${new Intl.NumberFormat(locale).format(value)} ${unit}`)
}
