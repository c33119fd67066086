/** Marks the schedule's tags; what follows is the tag's kind and when it was asked for, ms since the epoch. */
const TAG_PREFIX = 'holdfast-sync:'

/** A fresh tag this often while a page is open and work remains, ms: each owns its attempts minutes later. */
export const TAG_INTERVAL_MS = 60_000
/** The browser is not asked what is out more often than this, ms. */
export const REGISTER_INTERVAL_MS = 2_000
/** Of two events that begin within this time neither outlasts the other, ms. */
const SIMULTANEOUS_MS = 5_000

/** Kinds of tags. One of each comes first, so that a page which lives for a second leaves attempts at four times. */
const KINDS = 4
/**
 * Which tags to register now, while work remains. A tag in back-off does not come sooner, and tags that are registered
 * together fire together; so a fresh tag is added at intervals. Spent ones the browser forgets by itself, and without an
 * open page it refuses new ones.
 *
 * @param tags every tag that the browser holds: its event runs, or it waits for its next attempt
 * @returns never one that is out, which would do nothing, or fire again at once
 */
export function planSyncTags(tags: readonly string[], nowMs: number): string[] {
  const times = tags.filter(isScheduledTag).map((tag) => parseTag(tag).atMs)
  const isComplete = times.length >= KINDS
  // Either way, and any of them: a time in the far future is of a clock that was set back since.
  if (isComplete && times.some((atMs) => Math.abs(nowMs - atMs) < TAG_INTERVAL_MS)) return []
  const kinds = isComplete ? [Math.floor(nowMs / TAG_INTERVAL_MS) % KINDS] : [0, 1, 2, 3]
  return kinds.map((kind) => `${TAG_PREFIX}${kind}:${nowMs}`)
}

export const isScheduledTag = (tag: string) => tag.startsWith(TAG_PREFIX)

/** Its kind, and when it was registered. */
function parseTag(tag: string): { readonly kind: number; readonly atMs: number } {
  const [kind = 0, atMs = 0] = tag.slice(TAG_PREFIX.length).split(':').map(Number)
  return { kind, atMs }
}

/** An event that keeps the worker running. */
export interface WakeHolder {
  readonly untilMs: number
  /** Whether it may end early where another runs on: its tag's next attempt then comes sooner. */
  readonly canEndEarly: boolean
}

/**
 * Whether an attempt may be cut short, so that the next one comes sooner. The last attempt is used to its end.
 *
 * @param lastChance whether the browser grants no further one
 */
export function attemptCanEndEarly(tag: string, lastChance: boolean, nowMs: number): boolean {
  if (lastChance || !isScheduledTag(tag)) return false
  const { kind, atMs } = parseTag(tag)
  // The kind has a bit for the first attempt and one for the second: no two kinds are alike.
  const bit = nowMs - atMs < TAG_INTERVAL_MS ? 1 : 2
  return (kind & bit) === 0
}

/** Whether this event is to end now, as one that failed, because another holds the worker for longer. */
export const endsEarly = (holder: WakeHolder, all: Iterable<WakeHolder>) =>
  holder.canEndEarly && [...all].some((other) => lasts(other) > lasts(holder))

const lasts = ({ untilMs, canEndEarly }: WakeHolder) => untilMs - (canEndEarly ? SIMULTANEOUS_MS : 0)
