import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import { adaptiveConcurrency, INITIAL_CONCURRENCY } from '../core/concurrency.ts'
import type { ChunkRecord } from '../core/record.ts'
import { tellsOfDestination } from '../core/retry-policy.ts'

/** Is told that nothing has been heard of the requests for long: they go on, and hold up no other session. */
export type Silent = () => void

/** Runs requests as soon as a lane is free; undefined where they are not to be made now. */
export type InLane = <T>(requests: (silent: Silent) => Promise<T>) => Promise<T | undefined>

/** The network, for as many uploads at once as it bears. Others are made ready meanwhile, and wait for a lane. */
export interface Lanes {
  /** Uploads that the network bears. */
  bears(): number
  /** Whose uploads are in the lanes, where nothing has been heard for long of any: one more may go, of another session. */
  silent(): readonly SessionId[]
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
  /** Uploads in a lane of which nothing has been heard for long, each with its session. */
  const silent = new Map<unknown, SessionId>()
  let failures = 0
  /** Failures that are yet to be written down. */
  let failing = 0

  const turnAway = () => {
    for (const enter of waiting.splice(0)) enter(0)
  }
  // The one more that goes beside them makes them no less silent.
  const allSilent = () => (silent.size < Math.min(bears, inUse) ? [] : [...silent.values()])
  const letIn = () => {
    if (now() >= endMs) turnAway()
    const most = failing > 0 ? 0 : allowed
    while (waiting.length > 0 && inUse < most) waiting.shift()?.(++inUse)
  }

  return {
    bears: () => bears,
    silent: allSilent,
    failures: () => failures,
    allow(uploads, untilMs, asOf = failures) {
      if (asOf !== failures) return
      allowed = uploads
      endMs = untilMs
      if (allowed === 0) turnAway()
      letIn()
    },
    async upload({ effort, sessionId, sizeBytes }, work) {
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
        try {
          const done = await requests(() => {
            if (silent.has(requests)) return
            silent.set(requests, sessionId)
            // They may be of the same session: who goes beside these is to be asked anew.
            if (allSilent().length > 0) turnAway()
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
          silent.delete(requests)
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
