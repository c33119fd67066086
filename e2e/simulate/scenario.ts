import type { History, LifePlan } from './history.ts'
import { runHistory, type Ran } from './run-history.ts'

/** Two recordings at once: one ends, the tab of the other dies. Nothing goes wrong but the deaths. */
const TWO_RECORDINGS: History = {
  jitter: 0,
  depth: 2,
  lastsMs: 0,
  afterwards: 'visited',
  recordings: [
    { seal: 'page', chunks: 2, gapMs: 200, beginsAtMs: 0, ending: 'ends' },
    { seal: 'page', chunks: 1, gapMs: 300, beginsAtMs: 0, ending: 'dies' },
  ],
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
}

/** The scenario with these deaths. */
export const scenarioWith = ({ moments, laterMs }: Deaths): History => ({
  ...TWO_RECORDINGS,
  lives: moments.map((diesAt): LifePlan => ({ diesAt, laterMs })),
})

/** The scenario in which all blocks since its beginning become others at this time, and no head is in any of them. */
export const scenarioReorganisedAt = (atMs: number): History => ({
  ...TWO_RECORDINGS,
  happenings: [{ atMs, what: { kind: 'reorganised', vanish: true, deeper: 100 } }],
})

/** How many moments the first life has where nobody dies. */
export async function momentsOfScenario(): Promise<number> {
  const { moments, failure } = await runHistory(scenarioWith({ moments: [], laterMs: undefined }))
  if (failure !== undefined) throw new Error(`The scenario fails without a death: ${failure}`)
  return moments[0] ?? 0
}

/** The scenario with one death at this moment, then with a second one at each moment of the second life. */
export async function* everyDeathAfter(
  moment: number,
  pairs: boolean,
): AsyncGenerator<{ readonly deaths: Deaths; readonly ran: Ran }> {
  for (const laterMs of LATER_MS) {
    const single = { moments: [moment], laterMs }
    const ran = await runHistory(scenarioWith(single))
    yield { deaths: single, ran }
    if (!pairs) continue
    const second = ran.moments[1] ?? 0
    for (let next = 1; next <= second; next++) {
      const pair = { moments: [moment, next], laterMs }
      yield { deaths: pair, ran: await runHistory(scenarioWith(pair)) }
    }
  }
}
