import type { Endpoints } from '../../backend/index.ts'

/* oxlint-disable no-underscore-dangle -- a name that the server replaces: see `demo-site.ts` */
declare const __HOLDFAST_ENDPOINTS__: Endpoints

/** Where the test's backend is. */
export const endpoints: Endpoints = __HOLDFAST_ENDPOINTS__

/**
 * No test's outcome may depend on how long a request that it holds is waited for: longer than any test lasts, ms. The
 * demo's own worker has the default.
 */
export const TIMEOUT_MS = 3_600_000

/** A token of the app's own server; a stored one would be a secret on disk. */
export async function freshToken(): Promise<string> {
  const response = await fetch(`${endpoints.put}/token`, { method: 'POST' })
  return ((await response.json()) as { token: string }).token
}
