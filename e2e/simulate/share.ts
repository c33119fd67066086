import { randomRun } from './random-run.ts'
import { NEVER_SLOW, type Slowness } from './run-history.ts'
import type { History } from './history.ts'
import { everyDeathAfter, momentsOfScenario, scenarioWith } from './scenario.ts'

/** Which part of the work a thread does: every `of`-th piece, from `at`. */
export interface Share {
  readonly at: number
  readonly of: number
  readonly seed: number
  /** Random histories, the second one not included. */
  readonly runs: readonly [from: number, to: number]
  /** Deaths of the scenario: none, every single one, or every pair of them too. */
  readonly deaths: 'none' | 'single' | 'pairs'
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
    setBack: Math.max(a.slowness.setBack, b.slowness.setBack),
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
  const { at, of, seed, runs, deaths: which } = share
  const moments = which === 'none' ? 0 : await momentsOfScenario()
  for (let moment = 1 + at; moment <= moments; moment += of)
    for await (const { deaths, ran } of everyDeathAfter(moment, which === 'pairs')) {
      const { steps, kills, slowness, failure } = ran
      const isSingle = deaths.moments.length === 1
      tell({ counts: { ...NOTHING, [isSingle ? 'singles' : 'pairs']: 1, steps, kills, slowness } })
      const later = deaths.laterMs === undefined ? '' : ` --later ${deaths.laterMs}`
      if (failure !== undefined)
        tell({
          finding: { replay: `--deaths ${deaths.moments.join(',')}${later}`, history: scenarioWith(deaths) },
        })
    }
  for (let run = runs[0] + at; run < runs[1]; run += of) {
    const { steps, kills, slowness, shrunk } = await randomRun(seed, run)
    tell({ counts: { ...NOTHING, runs: 1, steps, kills, slowness } })
    if (shrunk) tell({ finding: { replay: `--seed ${seed} --run ${run}`, history: shrunk } })
  }
}
