import type { ErrorCode } from '../../src/protocol/errors.ts'
import { adaptiveConcurrency, INITIAL_CONCURRENCY } from '../core/concurrency.ts'
import type { ChunkRecord } from '../core/record.ts'
import { tellsOfDestination } from '../core/retry-policy.ts'

/** Is told, once, that nothing has been heard of the requests for long: they go on, and hold up no other session. */
export type Silent = () => void

/** Runs requests as soon as a lane is free; undefined where they are not to be made now. */
export type InLane = <T>(requests: (silent: Silent) => Promise<T>) => Promise<T | undefined>

/** The network, for as many uploads at once as it bears. Others are made ready meanwhile, and wait for a lane. */
export interface Lanes {
  /** Uploads that the network bears. */
  bears(): number
  /** One more, of another session, while nothing has been heard for long of any that is in a lane; 0 otherwise. */
  spare(): 0 | 1
  /** How many have failed in a lane, once that was written down. */
  failures(): number
  /**
   * So many may be under way from now on.
   *
   * @param uploads with 0, those that wait are turned away
   * @param untilMs from then on all are turned away, ms since the epoch
   * @param asOf the failures of which whoever decided this knew; where there are more by now, it does not count
   */
  allow(uploads: number, untilMs: number, asOf?: number): void
  /**
   * Runs one upload, and learns from it how many the network bears. After a failure in a lane none begins before it is
   * written down and the next `allow` knows of it, and those that wait are turned away: whether they are due is to be asked
   * anew.
   *
   * @param work resolves to how it failed, once that is written down
   * @returns the same
   */
  upload(
    chunk: ChunkRecord,
    work: (inLane: InLane) => Promise<ErrorCode | undefined>,
  ): Promise<ErrorCode | undefined>
}

export function createLanes(now: () => number): Lanes {
  const observe = adaptiveConcurrency()
  /** Each is told how many lanes are in use with its own; 0 where it is turned away. */
  const waiting: ((lanesInUse: number) => void)[] = []
  let bears = INITIAL_CONCURRENCY
  let allowed = 0
  let endMs = 0
  let inUse = 0
  /** Of those, uploads of which nothing has been heard for long. */
  let silent = 0
  let failures = 0
  /** Failures that are yet to be written down. */
  let failing = 0

  const turnAway = () => {
    for (const enter of waiting.splice(0)) enter(0)
  }
  const spare = () => (silent > 0 && silent === inUse ? 1 : 0)
  const letIn = () => {
    if (now() >= endMs) turnAway()
    const most = failing > 0 ? 0 : Math.min(bears + spare(), allowed)
    while (waiting.length > 0 && inUse < most) waiting.shift()?.(++inUse)
  }

  return {
    bears: () => bears,
    spare,
    failures: () => failures,
    allow(uploads, untilMs, asOf = failures) {
      if (asOf !== failures) return
      allowed = uploads
      endMs = untilMs
      if (allowed === 0) turnAway()
      letIn()
    },
    async upload({ effort, sizeBytes }, work) {
      let lanesInUse = 0
      let tookMs = 0
      let hasFailed = false
      const inLane: InLane = async (requests) => {
        lanesInUse = await new Promise<number>((enter) => {
          waiting.push(enter)
          letIn()
        })
        if (lanesInUse === 0) return undefined
        const begunUnder = bears
        const begunMs = now()
        let isSilent = false
        try {
          const done = await requests(() => {
            isSilent = true
            silent++
            // They may be of the same session: who goes beside these is to be asked anew.
            if (spare()) turnAway()
          })
          // What was not made tells nothing of this number of lanes, nor what began under another.
          if (done === undefined || begunUnder !== bears) lanesInUse = 0
          return done
        } catch (error) {
          hasFailed = true
          failing++
          // However it began, a loss is one.
          lanesInUse = inUse
          throw error
        } finally {
          tookMs = now() - begunMs
          inUse--
          if (isSilent) silent--
          letIn()
        }
      }
      try {
        const code = await work(inLane)
        // One that had been sent before may have found its bytes there already.
        if (code ? tellsOfDestination(code) : !effort?.sent)
          bears = observe(lanesInUse, sizeBytes, tookMs, code !== undefined)
        return code
      } finally {
        if (hasFailed) {
          failing--
          failures++
          allowed = 0
          turnAway()
        }
        letIn()
      }
    },
  }
}
