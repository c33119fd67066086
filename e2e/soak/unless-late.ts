import { setTimeout as sleep } from 'node:timers/promises'

export { sleep }

/** The promise's value, or undefined where it fails or takes longer: whom it waits for may have been killed. */
export async function unlessLate<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const over = new AbortController()
  const late = sleep(ms, undefined, { signal: over.signal }).catch(() => undefined)
  try {
    return await Promise.race([promise.catch(() => undefined), late])
  } finally {
    over.abort()
  }
}
