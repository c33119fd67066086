import type { ChunkRecord, HeadRecord, PageRange, SessionRecord } from './record.ts'
import { isRecent, type Now } from './retry-policy.ts'
import type { SessionEvent } from './session-event.ts'
import { MAX_CONCURRENT_EXPIRED } from './waits.ts'

// A chunk is found by its page and the newer ones, and opened by the first: where the store's proof of one of them is old,
// it is asked for that page again before any bytes are let go on it.

/** Heads of which sizes, above `from` and up to `to`, the transition has to be given: their pages are relied on. */
export function headsNeeded(
  { anchored, listed }: SessionRecord,
  [oldest]: readonly ChunkRecord[],
  event: SessionEvent,
): PageRange | undefined {
  const isAdopted = event.type === 'adopted'
  if (!isAdopted && event.type !== 'anchor-confirmed') return undefined
  const to = isAdopted ? listed.tree.size : event.anchored.size
  const from = isAdopted ? 0 : Math.min(oldest?.position ?? to, anchored?.size ?? 0)
  return from < to ? { from, to } : undefined
}

/**
 * Pages that are asked for again: those that are, and of these heads those that are new on the chain, or list a chunk
 * that waits for its word, where their proof is old. The first page of the log, without which a reader opens nothing, comes
 * first, then the newest.
 */
export function expiredPages(
  session: SessionRecord,
  chunks: readonly ChunkRecord[],
  heads: readonly HeadRecord[],
  now: Now,
): readonly PageRange[] | undefined {
  const { expired, anchored } = session
  const isAsked = ({ size }: HeadRecord) => expired?.some(({ to }) => to === size)
  const isRelied = ({ size, frame: { from } }: HeadRecord) =>
    size > (anchored?.size ?? 0) || chunks.some(({ position = -1 }) => from <= position && position < size)
  const old = heads.filter((head) => !isRecent(head.provedAtMs, now) && !isAsked(head) && isRelied(head))
  return old.length > 0 ? toAskFor(old, expired).slice(0, MAX_CONCURRENT_EXPIRED) : expired
}

/** Their pages and these: the first, without which nothing is opened, then the newest. */
export const toAskFor = (
  heads: readonly HeadRecord[],
  pages: readonly PageRange[] = [],
): readonly PageRange[] =>
  [...pages, ...heads.map(({ frame: { from }, size: to }) => ({ from, to }))].sort(
    (a, b) => (b.from ? b.to : Infinity) - (a.from ? a.to : Infinity),
  )
