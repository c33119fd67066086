import { COMPARISONS, type Comparison, type Measured } from './comparison.ts'
import { median } from './median.ts'

/** All rounds of one comparison. */
export interface Row {
  readonly comparison: Comparison
  readonly ours: readonly number[]
  readonly bare: readonly number[]
  readonly ratios: readonly number[]
  /** Of the times on the CPU. */
  readonly cpuRatios: readonly number[]
}

export const rowsOf = (measured: readonly Measured[]): Row[] =>
  COMPARISONS.flatMap((comparison) => {
    const rounds = measured.filter(({ name }) => name === comparison.name)
    if (rounds.length === 0) return []
    return {
      comparison,
      ours: rounds.map(({ ours }) => ours),
      bare: rounds.map(({ bare }) => bare),
      // Within a round, where the machine was the same for both.
      ratios: rounds.map(({ ours, bare }) => ours / bare),
      cpuRatios: rounds.flatMap(({ cpuMs }) => (cpuMs ? cpuMs.ours / cpuMs.bare : [])),
    }
  })

export const isMet = ({ comparison: { goal }, ratios }: Row): boolean =>
  goal.is === 'at most' ? median(ratios) <= goal.ratio : median(ratios) >= goal.ratio
