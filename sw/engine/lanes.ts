import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import { adaptiveConcurrency, INITIAL_CONCURRENCY } from '../core/concurrency.ts'
import type { ChunkRecord } from '../core/record.ts'
import { tellsOfDestination } from '../core/retry-policy.ts'
import { MAX_READY, READY_MS } from './limits.ts'

/** Runs requests as soon as a lane is free; undefined where they are not to be made now. */
export type InLane = <T>(requests: () => Promise<T>) => Promise<T | undefined>

/** The network, for as many uploads at once as it bears. Others are made ready meanwhile, and wait for a lane. */
export interface Lanes {
  /** Uploads that the network bears. */
  bears(): number
  /** Further uploads to make ready: those that the lanes take in half a second, as they went last; any part is one more. */
  ready(): number
  /** How many have failed in a lane, once that was written down. */
  failures(): number
  /**
   * So many may be under way from now on.
   *
   * @param uploads with 0, those that wait are turned away
   * @param untilMs from then on all are turned away, by `ticks`
   * @param silent sessions of which none enters a lane, though it waits for one: those are free for others
   * @param asOf the failures of which whoever decided this knew; where there are more by now, it does not count
   */
  allow(uploads: number, untilMs: number, silent?: readonly SessionId[], asOf?: number): void
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

/** @param ticks how time goes on, ms */
export function createLanes(ticks: () => number): Lanes {
  const observe = adaptiveConcurrency()
  /** Each is told how many lanes are in use with its own; 0 where it is turned away. */
  const waiting: ((lanesInUse: number) => void)[] = []
  let bears = INITIAL_CONCURRENCY
  /** How long one lane keeps the others waiting, ms; 0: nothing is known of the link. */
  let turnMs = 0
  let allowed = 0
  let endMs = 0
  let inUse = 0
  let keptOut: readonly SessionId[] = []
  let failures = 0
  /** Failures that are yet to be written down. */
  let failing = 0

  const turnAway = () => {
    for (const enter of waiting.splice(0)) enter(0)
  }
  const letIn = () => {
    if (ticks() >= endMs) turnAway()
    const most = failing > 0 ? 0 : allowed
    while (waiting.length > 0 && inUse < most) waiting.shift()?.(++inUse)
  }

  return {
    bears: () => bears,
    ready: () => Math.min(MAX_READY, READY_MS / turnMs),
    failures: () => failures,
    allow(uploads, untilMs, silent = [], asOf = failures) {
      if (asOf !== failures) return
      allowed = uploads
      keptOut = silent
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
        const begunMs = ticks()
        try {
          const done = keptOut.includes(sessionId) ? undefined : await requests()
          // What was not made tells nothing.
          if (done === undefined) lanesInUse = 0
          return done
        } catch (error) {
          hasFailed = true
          failing++
          // However it began, a loss is one.
          lanesInUse = inUse
          throw error
        } finally {
          tookMs = ticks() - begunMs
          turnMs = tookMs / inUse--
          letIn()
        }
      }
      try {
        const code = await work(inLane)
        // One that had been sent before may have found its bytes there already.
        if (code ? tellsOfDestination(code) : !effort?.sent)
          bears = observe(lanesInUse, sizeBytes, tookMs, !!code)
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
