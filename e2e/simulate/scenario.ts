import { BLOCK_MS } from './chain.ts'
import type { Happening, History, LifePlan } from './history.ts'
import { runHistory, type Ran } from './run-history.ts'

/** Two recordings at once: one ends, the tab of the other dies. Nothing goes wrong but the deaths. */
const TWO_RECORDINGS: History = {
  jitter: 0,
  depth: 2,
  anchored: true,
  lastsMs: 0,
  afterwards: 'visited',
  recordings: [
    { seal: 'page', chunks: 2, gapMs: 200, beginsAtMs: 0, ending: 'ends' },
    { seal: 'page', chunks: 1, gapMs: 300, beginsAtMs: 0, ending: 'dies' },
  ],
  notes: 1,
  lives: [],
  requestFaults: [],
  diskFaults: [],
  happenings: [],
}

/** What a dead worker has under way never arrives, or arrives while its successor is at work. */
const LATER_MS: readonly (number | undefined)[] = [undefined, 3_000]

/** The moments at which the workers of the scenario die, one after the other. */
export interface Deaths {
  readonly moments: readonly number[]
  readonly laterMs: number | undefined
  /** Unless told otherwise there is a chain. */
  readonly anchored?: boolean
}

/** The scenario with these deaths. */
export const scenarioWith = ({ moments, laterMs, anchored = true }: Deaths): History => ({
  ...TWO_RECORDINGS,
  anchored,
  lives: moments.map((diesAt): LifePlan => ({ diesAt, laterMs })),
})

/** The scenario in which all blocks since its beginning become others at this time, and no head is in any of them. */
export const scenarioReorganisedAt = (atMs: number): History => ({
  ...TWO_RECORDINGS,
  happenings: [reorganisedAt(atMs, 100)],
})

/** Both recordings of the scenario are settled by then, ms. */
const SETTLED_MS = 60_000
const HOUR_MS = 3_600_000
/** The first of them stands for the next wake, whatever it is: an attempt of Background Sync may come before. */
export const HOUR_DAY_WEEK_MS = [HOUR_MS, 24 * HOUR_MS, 168 * HOUR_MS]

/**
 * The scenario in which the chain takes back what has settled: this deep soon after the settlement, and all of it after
 * each visit. It is judged before the chain does so, and a minute after each visit.
 *
 * @param depth blocks that hold the heads when they are taken back for the first time, from 1
 * @param visitsMs after the settlement: when somebody comes by, and nobody between
 */
export const scenarioReorganisedAfterwards = (depth: number, visitsMs: readonly number[]): History => ({
  ...TWO_RECORDINGS,
  // Of each there is something to lose.
  recordings: (['ends', 'dies'] as const).map((ending) => ({
    seal: 'page',
    chunks: 3,
    gapMs: 200,
    beginsAtMs: 0,
    ending,
  })),
  lastsMs: 3 * SETTLED_MS + Math.max(...visitsMs),
  happenings: [
    { atMs: SETTLED_MS, what: { kind: 'anchors-judged' } },
    reorganisedAt(SETTLED_MS + BLOCK_MS * depth, depth + SETTLED_MS / BLOCK_MS),
    ...visitsMs.flatMap((visitMs): Happening[] => [
      { atMs: SETTLED_MS + visitMs, what: { kind: 'page-opened' } },
      { atMs: 2 * SETTLED_MS + visitMs, what: { kind: 'anchors-judged' } },
      reorganisedAt(2 * SETTLED_MS + visitMs + BLOCK_MS, 1_000_000),
    ]),
  ],
})

const reorganisedAt = (atMs: number, deeper: number): Happening => ({
  atMs,
  what: { kind: 'reorganised', vanish: true, deeper },
})

/** How many moments the first life has where nobody dies. */
export async function momentsOfScenario(anchored = true): Promise<number> {
  const { moments, failure } = await runHistory(scenarioWith({ moments: [], laterMs: undefined, anchored }))
  if (failure !== undefined) throw new Error(`The scenario fails without a death: ${failure}`)
  return moments[0] ?? 0
}

/** The scenario with one death at this moment, then with a second one at each moment of the second life. */
export async function* everyDeathAfter(
  moment: number,
  pairs: boolean,
  anchored = true,
): AsyncGenerator<{ readonly deaths: Deaths; readonly ran: Ran }> {
  for (const laterMs of LATER_MS) {
    const single = { moments: [moment], laterMs, anchored }
    const ran = await runHistory(scenarioWith(single))
    yield { deaths: single, ran }
    if (!pairs) continue
    const second = ran.moments[1] ?? 0
    for (let next = 1; next <= second; next++) {
      const pair = { moments: [moment, next], laterMs, anchored }
      yield { deaths: pair, ran: await runHistory(scenarioWith(pair)) }
    }
  }
}
