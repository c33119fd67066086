import fc from 'fast-check'
import { histories } from './arbitrary.ts'
import type { Happening, History } from './history.ts'
import type { Mutation } from './mutation.ts'
import { NEVER_SLOW, runHistory, type Slowness } from './run-history.ts'

/** How one run that chance made went, with the smallest history that fails the same way or another. */
export interface RandomRun {
  readonly steps: number
  readonly kills: number
  readonly slowness: Slowness
  readonly shrunk?: History
  /** The promise that it broke, before anything of it was made smaller. */
  readonly failure?: string
}

interface Options {
  readonly mutation?: Mutation
  readonly shrinks?: boolean
  /** What happens besides what chance lets happen. */
  readonly besides?: readonly Happening[]
}

const withBesides = (besides: readonly Happening[]) =>
  histories.map((history) => Object.assign({}, history, { happenings: [...history.happenings, ...besides] }))

/** Run number `run` of a seed: always the same. */
export async function randomRun(
  seed: number,
  run: number,
  { mutation, shrinks = true, besides = [] }: Options = {},
): Promise<RandomRun> {
  let steps = 0
  let kills = 0
  let slowness = NEVER_SLOW
  let failure: string | undefined
  let first = true
  const property = fc.asyncProperty(withBesides(besides), async (history) => {
    const ran = await runHistory(history, mutation && { mutation })
    if (first) ({ steps, kills, slowness, failure } = ran)
    first = false
    return ran.failure === undefined
  })
  const checked = await fc.check(property, { seed: seedOf(seed, run), numRuns: 1, endOnFailure: !shrinks })
  const [shrunk] = checked.counterexample ?? []
  return { steps, kills, slowness, ...(shrunk && { shrunk }), ...(failure !== undefined && { failure }) }
}

/** One seed for each run of each seed (the finaliser of MurmurHash3). */
function seedOf(seed: number, run: number): number {
  let mixed = Math.imul(seed, 0x9e3779b1) ^ run
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) | 0
}
