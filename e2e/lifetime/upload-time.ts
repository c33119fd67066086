import type { LedgerEntry } from '../backend/index.ts'

/** A time during which uploads were under way, in seconds after the tab's death. */
export interface Span {
  readonly fromSec: number
  readonly toSec: number
}

const isUpload = ({ service, path }: LedgerEntry) => service === 'ipfs' && path.endsWith('/add')

/** When uploads that the store took were under way after the death; pauses under `joinSec` do not divide. */
export function uploadSpans(entries: readonly LedgerEntry[], deathMs: number, joinSec = 2): Span[] {
  const spans: { fromSec: number; toSec: number }[] = []
  const done = entries.filter((entry) => isUpload(entry) && entry.outcome === 'answered')
  for (const { at, durationMs = 0 } of done.toSorted((a, b) => a.at - b.at)) {
    const fromSec = Math.max(0, (at - deathMs) / 1000)
    const toSec = (at + durationMs - deathMs) / 1000
    if (toSec <= 0) continue
    const last = spans.at(-1)
    if (last !== undefined && fromSec <= last.toSec + joinSec) last.toSec = Math.max(last.toSec, toSec)
    else spans.push({ fromSec, toSec })
  }
  return spans
}

/** Seconds of upload within the first `limitSec` after the death. */
export const uploadSec = (spans: readonly Span[], limitSec: number) =>
  spans.reduce((sum, { fromSec, toSec }) => sum + Math.max(0, Math.min(toSec, limitSec) - fromSec), 0)

/** Bytes of uploads that began and ended within that time after the death. */
export function uploadedBytes(entries: readonly LedgerEntry[], deathMs: number, limitSec: number): number {
  return entries
    .filter((entry) => isUpload(entry) && entry.outcome === 'answered')
    .filter(({ at, durationMs = 0 }) => at >= deathMs && at + durationMs <= deathMs + limitSec * 1000)
    .reduce((sum, { bytesReceived }) => sum + bytesReceived, 0)
}

/** As a person reads it: `0-271, 300-465`. */
export const spansText = (spans: readonly Span[]) =>
  spans.map(({ fromSec, toSec }) => `${Math.round(fromSec)}-${Math.round(toSec)}`).join(', ')
