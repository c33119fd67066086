import type { Anchored, SessionRecord } from './record.ts'
import { isSettled } from './session.ts'
import { LOOKS_APART_MS } from './waits.ts'

// A chain may take back what it held, and deeper than the depth that an app waits for: what has settled is looked at
// again, at wakes that come anyway. The head is signed and kept: to bring it once more needs no bytes.

/** Until then, ms after settlement, each wake looks: it stands for the finality of any chain. */
const FINAL_MS = 3_600_000
/** After that the first wake from each of these on, ms after settlement: a day, a week. */
const LATER_MS = [86_400_000, 604_800_000]

/** A head that is in a block. */
export type OnChain = Anchored & { readonly blockNumber: number }

/** Whether the chain is to be asked now if it still holds the settled session. */
export function isLookDue(
  session: SessionRecord,
  nowMs: number,
): session is SessionRecord & { readonly anchored: OnChain } {
  // What a store confirmed, before there was an anchor, stays so.
  if (session.anchored?.blockNumber === undefined || !isSettled(session)) return false
  const { confirmedAtMs, seenAtMs = confirmedAtMs } = session.anchored
  const ageMs = nowMs - confirmedAtMs
  const seenAgeMs = seenAtMs - confirmedAtMs
  // A time that is yet to come is of a clock that was ahead.
  if (ageMs < Math.max(0, seenAgeMs)) return true
  if (seenAgeMs < FINAL_MS) return ageMs >= seenAgeMs + LOOKS_APART_MS
  return LATER_MS.some((ms) => seenAgeMs < ms && ms <= ageMs)
}

/** What the newest block of a chain holds of a session. */
export interface Shown {
  readonly blockNumber: number
  readonly latest?: Pick<Anchored, 'root' | 'blockNumber'> | undefined
}

/**
 * The anchor of a settled session after a look; undefined where it is gone. One that is in another block now has to grow
 * deep again like one that is gone. A node that is behind its block says nothing.
 */
export function afterLook(anchored: OnChain, shown: Shown, nowMs: number): Anchored | undefined {
  const { root, blockNumber, confirmedAtMs } = anchored
  if (shown.blockNumber < blockNumber) return anchored
  if (shown.latest?.root !== root || shown.latest.blockNumber !== blockNumber) return undefined
  return { ...anchored, confirmedAtMs: Math.min(confirmedAtMs, nowMs), seenAtMs: nowMs }
}
