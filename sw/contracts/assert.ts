/** Assertions that need no test runner, so that a contract runs in a page, a worker and Node alike. */

/** The value in a form that compares by content: keys in order, bytes as numbers. */
function shape(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) => {
      if (inner instanceof ArrayBuffer) return { bytes: [...new Uint8Array(inner)] }
      if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
      return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    }) ?? 'undefined'
  )
}

/** The two are equal by content. */
export function same(found: unknown, expected: unknown, what: string): void {
  if (shape(found) !== shape(expected))
    throw new Error(`${what}: expected ${shape(expected)}, found ${shape(found)}`)
}

/** The promise rejects; returns with what. */
export async function rejection(work: Promise<unknown>, what: string): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error(`${what}: it did not reject`)
}

/** The promise rejects with our error of this code. */
export async function rejectsWith(code: string, work: Promise<unknown>, what: string): Promise<void> {
  const error = await rejection(work, what)
  const found = typeof error === 'object' && error !== null && 'code' in error ? error.code : String(error)
  same(found, code, what)
}
