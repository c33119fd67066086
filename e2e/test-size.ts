/**
 * The tag of what `npm test` has a sample of: `npm test` leaves it out; `npm test -- --all` does not.
 */
export const WHOLE = '@whole'

/** The tag of what takes long, and of which `npm test` has another of its kind: `npm test -- --engines` runs it too. */
export const LANDING = '@landing'

/** The tag of what `npm test -- --all` has a covering set of: only `npm test -- --whole-matrix` runs it, and what names a spec. */
export const WHOLE_MATRIX = '@matrix'

/** The tags of one of many cells; of those that are sampled some are `LANDING`. */
export function tagOf(isSampled: boolean | typeof LANDING, isCovering: boolean): string[] {
  if (isSampled === LANDING) return [LANDING]
  if (isSampled) return []
  return isCovering ? [WHOLE] : [WHOLE_MATRIX]
}

/** What `npm test -- --all` sets for tests that have no tags. */
export const WHOLE_ENV = { HOLDFAST_WHOLE: '1' } as const

/** Whether a unit test takes all of that of which it takes a sample in `npm test`. */
export const takesWhole = (): boolean => process.env['HOLDFAST_WHOLE'] === WHOLE_ENV.HOLDFAST_WHOLE

/** All rows of a table, or in `npm test` every third, which stands for the two after it. */
export const sampleOf = <Row>(rows: readonly Row[]): readonly Row[] =>
  takesWhole() ? rows : rows.filter((_row, at) => at % 3 === 0)
