/**
 * The tag of what `npm test` has a sample of: `npm test` leaves it out; `npm test -- --all`, which `.ci/run` runs, does not.
 */
export const WHOLE = '@whole'
