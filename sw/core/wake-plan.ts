/** Marks the ladder's tags; what follows is the rung's kind and when it was asked for, ms since the epoch. */
const LADDER = 'holdfast-ladder:'

/** A fresh rung this often while a page is open and work remains, ms: each owns its attempts minutes later. */
export const RUNG_MS = 60_000
/** Kinds of rungs. One of each comes first, so that a page which lives for a second leaves attempts at many times. */
const KINDS = 4
/** What cannot be asked for now is asked for again no sooner than this, ms. */
export const RETRY_MS = 5_000
/** Of two events that begin within this time neither outlasts the other, ms. */
const TOGETHER_MS = 5_000

/** What the browser owes us, as far as it says. Asked for only while work remains. */
export interface WakeScene {
  readonly nowMs: number
  /** Whether a page of the origin is open: without one, nothing can be asked for. */
  readonly page: boolean
  /** Every tag that the browser holds: its event runs, or it waits for its next attempt. */
  readonly tags: readonly string[]
}

export interface WakePlan {
  /** Tags to register now; never one that is out, which would do nothing, or fire again at once. */
  readonly register: readonly string[]
  /** When to look again, ms since the epoch. */
  readonly askAtMs: number
}

/**
 * Which wakes to ask for. A tag in back-off cannot be had sooner, and tags that are registered together fire
 * together; so the ladder adds a fresh rung at intervals. Spent ones the browser forgets by itself.
 */
export function planWakes({ nowMs, page, tags }: WakeScene): WakePlan {
  const times = tags.filter(isRung).map((tag) => rungOf(tag).atMs)
  const dueMs = Math.max(...times) + RUNG_MS
  // A time in the future is of a clock that was set back since.
  if (times.length >= KINDS && dueMs > nowMs && dueMs <= nowMs + RUNG_MS)
    return { register: [], askAtMs: dueMs }
  if (!page) return { register: [], askAtMs: nowMs + RETRY_MS }
  const next = Math.floor(nowMs / RUNG_MS) % KINDS
  const kinds = times.length < KINDS ? [0, 1, 2, 3] : [next]
  return { register: kinds.map((kind) => `${LADDER}${kind}:${nowMs}`), askAtMs: nowMs + RUNG_MS }
}

export const isRung = (tag: string) => tag.startsWith(LADDER)

function rungOf(tag: string): { kind: number; atMs: number } {
  const [kind = 0, atMs = 0] = tag.slice(LADDER.length).split(':').map(Number)
  return { kind, atMs }
}

/** An event that keeps the worker running. */
export interface Holder {
  readonly untilMs: number
  /** Whether it may end early where another runs on: its tag's next attempt then comes sooner. */
  readonly yields: boolean
}

/**
 * Whether an attempt may be cut short. The first two may, each by its bit of the rung's kind: so rungs of one time
 * come back at four times. The last attempt is used to its end.
 */
export function mayYield(tag: string, lastChance: boolean, nowMs: number): boolean {
  if (lastChance || !isRung(tag)) return false
  const { kind, atMs } = rungOf(tag)
  return (kind & (nowMs - atMs < RUNG_MS ? 1 : 2)) === 0
}

/** Whether this event is to end now, as one that failed, because another holds the worker for longer. */
export function givesWay(holder: Holder, all: Iterable<Holder>): boolean {
  if (!holder.yields) return false
  for (const other of all) if (lasts(other) > lasts(holder)) return true
  return false
}

const lasts = ({ untilMs, yields }: Holder) => (yields ? untilMs - TOGETHER_MS : untilMs)
