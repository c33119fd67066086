import { randomRun } from './random-run.ts'
import { NEVER_SLOW, type Slowness } from './run-history.ts'
import type { History } from './history.ts'
import { everyDeathAfter, momentsOfScenario, scenarioWith } from './scenario.ts'

/** Which part of the work a thread does: every `of`-th piece, from `at`. */
export interface Share {
  readonly at: number
  readonly of: number
  readonly seed: number
  readonly runs: number
  readonly pairs: boolean
}

/** Numbers of what was run. */
export interface Counts {
  readonly runs: number
  readonly singles: number
  readonly pairs: number
  readonly steps: number
  readonly kills: number
  readonly slowness: Slowness
}

export const NOTHING: Counts = { runs: 0, singles: 0, pairs: 0, steps: 0, kills: 0, slowness: NEVER_SLOW }

export const plus = (a: Counts, b: Counts): Counts => ({
  runs: a.runs + b.runs,
  singles: a.singles + b.singles,
  pairs: a.pairs + b.pairs,
  steps: a.steps + b.steps,
  kills: a.kills + b.kills,
  slowness: {
    visited: Math.max(a.slowness.visited, b.slowness.visited),
    open: Math.max(a.slowness.open, b.slowness.open),
    untold: Math.max(a.slowness.untold, b.slowness.untold),
  },
})

/** A broken promise, and how to see it again. */
export interface Finding {
  readonly replay: string
  readonly history: History
}

export type Progress = { readonly counts: Counts } | { readonly finding: Finding }

/** Does its share, telling of each piece. */
export async function doShare(share: Share, tell: (progress: Progress) => void): Promise<void> {
  const { at, of, seed, runs, pairs } = share
  const moments = await momentsOfScenario()
  for (let moment = 1 + at; moment <= moments; moment += of)
    for await (const { deaths, ran } of everyDeathAfter(moment, pairs)) {
      const { steps, kills, slowness, failure } = ran
      const isSingle = deaths.moments.length === 1
      tell({ counts: { ...NOTHING, [isSingle ? 'singles' : 'pairs']: 1, steps, kills, slowness } })
      const later = deaths.laterMs === undefined ? '' : ` --later ${deaths.laterMs}`
      if (failure !== undefined)
        tell({
          finding: { replay: `--deaths ${deaths.moments.join(',')}${later}`, history: scenarioWith(deaths) },
        })
    }
  for (let run = at; run < runs; run += of) {
    const { steps, kills, slowness, shrunk } = await randomRun(seed, run)
    tell({ counts: { ...NOTHING, runs: 1, steps, kills, slowness } })
    if (shrunk) tell({ finding: { replay: `--seed ${seed} --run ${run}`, history: shrunk } })
  }
}
