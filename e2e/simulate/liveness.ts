import { totalChunks, isSettled, pendingChunks, rawChunks } from '../../sw/core/session.ts'
import { MAX_CONCURRENT_STEPS } from '../../sw/engine/limits.ts'
import { CAP_MS, LONGEST_TRIAL_MS } from '../../sw/core/retry-policy.ts'
import type { SessionRecord } from '../../sw/core/record.ts'
import { sessionView } from '../../sw/core/view.ts'
import type { DiskState } from '../../sw/testing/fake-disk.ts'
import type { History } from './history.ts'
import type { LastingFault } from './lasting-faults.ts'
import type { Scene } from './simulated-scene.ts'

// Promise 6 of docs/guarantees.md.

/** What follows the last fault: a person comes by again and again, or a page stays open and nobody does. */
export type Afterwards = 'visited' | 'open'

/**
 * Once the faults have stopped, everything is confirmed within this time, ms. A visit is a trial of what is parked,
 * once a minute; with nobody there the longest trial takes six hours.
 */
export const SLOWEST_MS: Readonly<Record<Afterwards, number>> = {
  visited: 600_000,
  open: LONGEST_TRIAL_MS + 600_000,
}

/** A clock that was set back by less than this is not noticed, and adds it to a wait; all else is tried then (`isAhead`), ms. */
export const SET_BACK_COSTS_MS = CAP_MS

export const isSetBack = ({ happenings }: History) =>
  happenings.some(({ what }) => what.kind === 'clock-set' && what.byMs < 0)

/** The bound of one history, ms. */
export const slowestMsOf = (history: History) =>
  SLOWEST_MS[history.afterwards] + (isSetBack(history) ? SET_BACK_COSTS_MS : 0)

/** What does not go on for so long is told, ms. */
export const TELLS_WITHIN_MS = 120_000
const LOOK_EVERY_MS = 10_000
/** What is waited for in vain. */
const HUNG: readonly LastingFault[] = ['sealer-hangs', 'store-hangs', 'chain-hangs', 'app-hangs', 'lock-kept']

/**
 * Watches, while faults last, that whatever stands is told. Time counts while a wake is under way and its disk works:
 * nobody can tell anything otherwise.
 *
 * @returns the longest time that anything stood untold, ms
 */
export async function watchStanding(
  scene: Scene,
  look: () => { readonly disk: DiskState; readonly working: boolean; readonly suspended: boolean },
): Promise<number> {
  const standing = new Map<string, { mark: string; ms: number }>()
  let longestMs = 0
  while (!scene.healing && scene.failure === undefined) {
    await scene.sleep(LOOK_EVERY_MS)
    const { disk, working, suspended } = look()
    if (scene.healing) break
    for (const session of disk.sessions.values()) {
      // What the chain takes back has to grow deep anew.
      const mark = [
        markOf(session),
        scene.reorganisations,
        HUNG.some(scene.faults.lasts) && begunAnew(scene),
      ].join()
      const before = standing.get(session.id)
      const waitsForPlace = scene.faults.lasts('sealer-hangs') && isBehindSealing(session, disk)
      const counts =
        before?.mark === mark && waitsForWork(session) && !isTold(session) && !suspended && !waitsForPlace
      const ms = counts ? before.ms + (working ? LOOK_EVERY_MS : 0) : 0
      standing.set(session.id, { mark, ms })
      longestMs = Math.max(longestMs, ms)
      if (ms > TELLS_WITHIN_MS)
        scene.fail(`${session.id} has stood for ${ms / 1_000} s, and nobody is told: ${mark}`)
    }
  }
  return longestMs
}

/** How long something has hung is not stored: its limit begins anew with each worker and with each drain. */
const begunAnew = ({ kills, takeovers, thefts }: Scene) => [kills, takeovers, thefts]

/** Whether chunks of others may have all places for sealing; its own time begins with its turn (known limits of docs/guarantees.md). */
const isBehindSealing = (session: SessionRecord, { sessions }: DiskState) =>
  rawChunks(session) > session.parkedRaw &&
  [...sessions.values()]
    .filter(({ id }) => id !== session.id)
    .reduce((sum, other) => sum + rawChunks(other) - other.parkedRaw, 0) >= MAX_CONCURRENT_STEPS

/** Changes with every progress. */
const markOf = ({ tally, ending, paused, listing, listed, anchored }: SessionRecord) =>
  JSON.stringify({
    tally,
    ending,
    paused,
    page: listing?.page,
    listed: listed.tree.size,
    anchored: anchored?.size,
  })

const waitsForWork = (session: SessionRecord) =>
  !session.paused &&
  !isSettled(session) &&
  (session.ending !== 'recording' ||
    pendingChunks(session) > 0 ||
    totalChunks(session) > session.tally.confirmed)

const isTold = (session: SessionRecord) =>
  sessionView(session, { bytesOf: () => 0, bytesPerSecond: () => 0 }).lastError !== undefined
