/**
 * Whether a value from the disk is of the kind of this sample, in all that the sample has: what else it has, and what is
 * undefined there, may be anything. No number is NaN.
 */
export function isLike(value: unknown, sample: unknown): boolean {
  if (sample === undefined) return true
  if (typeof value !== typeof sample || value !== value) return false
  if (typeof sample !== 'object') return true
  const [own, like] = [value, sample] as [Record<string, unknown> | null, Record<string, unknown>]
  const isSame = own !== null && Array.isArray(own) === Array.isArray(like)
  return isSame && Object.keys(like).every((name) => isLike(own[name], like[name]))
}
