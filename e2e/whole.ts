/**
 * The tag of what `npm test` has a sample of: `npm test` leaves it out; `npm test -- --all` does not.
 */
export const WHOLE = '@whole'
