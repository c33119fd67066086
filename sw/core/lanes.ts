/** How many uploads may be under way at once, learnt from those that are over. */
export interface Lanes {
  /** 1 to 6 */
  readonly count: number
  learn(sample: Sample): void
}

/** One upload that is over. */
export interface Sample {
  /** How many lanes were in use when it began, its own included. */
  readonly inUse: number
  readonly bytes: number
  readonly elapsedMs: number
  /** Its destination did not answer, or not in time, or asked for less. */
  readonly lost: boolean
}

/** Enough for most links, too many for few. */
const FIRST = 3
const MOST = 6
/** Uploads that are judged together, so that one slow answer decides nothing. */
const EPOCH = 8
/** A lane more must bring a tenth; one fewer may cost a tenth. */
const WORTH = 0.1
/** Where the same lanes bring less than this share of what they did, each upload takes that much longer. */
const FALLEN = 0.7
/** Epochs before the next lane is tried, after the first failure; as many more after each. */
const REST = 2

/**
 * Hill climbing on goodput. A lane more for as long as that brings more: the first is tried after the first epoch. One
 * that brings nothing only makes each upload slower, and is taken back. Where uploads become much slower by themselves,
 * one fewer is tried. A loss takes back the lane on trial, or halves the lanes.
 *
 * Goodput is lanes × bytes ÷ time of an upload (Little's law), so only uploads count that began with all lanes in use.
 */
export function adaptingLanes(): Lanes {
  let count = FIRST
  /** The lane on trial: 1, -1, or 0 for none. */
  let step = 0
  /** Goodput before the trial, or of the last epoch, bytes per ms; 0 while it is not known. */
  let rate = 0
  let pause = 0
  let rest = 0
  let samples = 0
  let sentBytes = 0
  let spentMs = 0

  return {
    get count() {
      return count
    },
    learn({ inUse, bytes, elapsedMs, lost }) {
      // One that began under another number tells nothing of this one; so the losses of one moment are one.
      if (inUse !== count || elapsedMs <= 0) return
      sentBytes += bytes
      spentMs += elapsedMs
      if (++samples < EPOCH && !lost) return
      const reached = (count * sentBytes) / spentMs
      const gain = reached / rate
      if (lost || (step !== 0 && gain < 1 + step * WORTH)) {
        count = lost && step <= 0 ? Math.ceil(count / 2) : count - step
        step = 0
        if (lost) rate = 0
        rest += REST
        pause = rest
      } else {
        const wanted = step || (gain < FALLEN ? -1 : pause-- > 0 ? 0 : 1)
        step = Math.min(Math.max(count + wanted, 1), MOST) - count
        count += step
        rate = reached
      }
      samples = sentBytes = spentMs = 0
    },
  }
}
