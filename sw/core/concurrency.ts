/**
 * One upload is over.
 *
 * @param lanesInUse how many lanes were in use when it began, its own included
 * @param lost its destination did not answer, or not in time, or asked for less
 * @returns how many uploads may be under way at once from now on, 1 to 5
 */
export type ObserveUpload = (lanesInUse: number, bytes: number, elapsedMs: number, lost: boolean) => number

/** Lanes of a new worker: enough for most links, too many for few. */
export const INITIAL_CONCURRENCY = 3
/** Of the six connections that a browser has to one host over HTTP/1.1, one is left to pages, heads and questions. */
const MAX_CONCURRENCY = 5
/** Uploads that are judged together, so that one slow answer decides nothing. */
const EPOCH_UPLOADS = 8
/** A lane is kept where it brings a tenth more. */
const MIN_GAIN = 1.1
/** Where the same lanes bring less than this share of what they did, in bytes and in uploads, each takes that much longer. */
const COLLAPSE_RATIO = 0.7
/** Epochs before the next lane is tried, after the first failure; as many more after each. */
const PAUSE_EPOCHS = 2
/** No more than this: with one lane every failure of an outage is one, and the link may be better after it. */
const MAX_PAUSE_EPOCHS = 16

/**
 * Hill climbing on goodput. A lane more for as long as that brings more: the first is tried after the first epoch. One
 * that brings nothing only makes each upload slower, and is taken back. Where uploads become much slower by themselves,
 * there is one fewer; after a loss, half as many, or without the lane that was on trial. Small ones that follow large
 * ones bring fewer bytes, and large ones that follow small ones take longer: neither has become slower.
 *
 * Goodput is lanes × bytes ÷ time of an upload (Little's law), so only uploads count that began with all lanes in use.
 */
export function adaptiveConcurrency(): ObserveUpload {
  let limit = INITIAL_CONCURRENCY
  /** Whether the last of these lanes is on trial. */
  let onTrial = false
  /** Goodput of the last epoch, bytes per ms; 0 while it is not known. */
  let goodput = 0
  /** Time of its uploads, all together, ms. */
  let tookMs = 0
  /** Epochs until the next trial, and how many there were to be after the last failure. */
  let epochsToTrial = 0
  let pauseEpochs = 0
  let uploads = 0
  let sentBytes = 0
  let spentMs = 0

  function stepBack(lost: boolean): void {
    limit = Math.max(1, lost && !onTrial ? Math.ceil(limit / 2) : limit - 1)
    onTrial = false
    goodput = 0
    pauseEpochs = Math.min(pauseEpochs + PAUSE_EPOCHS, MAX_PAUSE_EPOCHS)
    epochsToTrial = pauseEpochs
  }

  function goOn(reached: number): void {
    onTrial = epochsToTrial === 0 && limit < MAX_CONCURRENCY
    epochsToTrial = Math.max(0, epochsToTrial - 1)
    if (onTrial) limit++
    goodput = reached
    tookMs = spentMs
  }

  return (lanesInUse, bytes, elapsedMs, lost) => {
    // One that began under another number tells nothing of this one; so the losses of one moment are one.
    if (lanesInUse !== limit || elapsedMs <= 0) return limit
    uploads++
    sentBytes += bytes
    spentMs += elapsedMs
    if (uploads < EPOCH_UPLOADS && !lost) return limit
    const reached = (limit * sentBytes) / spentMs
    const isLess = reached < goodput * (onTrial ? MIN_GAIN : COLLAPSE_RATIO)
    if (lost || (isLess && (onTrial || spentMs * COLLAPSE_RATIO > tookMs))) stepBack(lost)
    else goOn(reached)
    uploads = sentBytes = spentMs = 0
    return limit
  }
}
