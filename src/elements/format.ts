export const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** The index of the unit in which this number of bytes is told. */
export function unitOf(bytes: number): number {
  let unit = 0
  while (bytes / 1000 ** unit >= 999.5 && unit < BYTE_UNITS.length - 1) unit++
  return unit
}

/** Bytes in decimal units, with one digit below 10: `1.5 MB`, `12 MB`. */
export function formatBytes(bytes: number): string {
  const unit = unitOf(bytes)
  const value = bytes / 1000 ** unit
  const digits = unit > 0 && value < 9.95 ? 1 : 0
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`
}

/** A length in ms as a clock: `00:12`, `1:02:03`. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const pad = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const rest = `${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`
  return hours > 0 ? `${hours}:${rest}` : rest
}

/** A wait in ms, rounded up, in words: `8 s`, `5 min`. */
export function formatWait(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000))
  return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
}

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** A moment in the reader's own notation. */
export const formatMoment = (ms: number) => MOMENT.format(ms)

/** Both ends of a long id, since people compare those: `bafkrei…q4mu`. */
export const shorten = (id: string, head = 7, tail = 4) =>
  id.length <= head + tail + 1 ? id : `${id.slice(0, head)}…${id.slice(-tail)}`

/** `1 chunk`, `2 chunks`, `2 retries`. */
export const count = (n: number, noun: string, plural = `${noun}s`) => `${n} ${n === 1 ? noun : plural}`

/** A sentence's first letter. */
export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
