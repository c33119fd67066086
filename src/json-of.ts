/**
 * What an app gives, as it is now, in JSON: by the time it is sealed the app may have made something else of it. Undefined
 * where JSON does not know it, which is refused then, in words.
 */
export function jsonOf(given: unknown): string | undefined {
  try {
    return JSON.stringify(given)
  } catch {
    return undefined
  }
}
