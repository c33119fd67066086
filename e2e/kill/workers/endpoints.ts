import type { Endpoints } from '../../backend/index.ts'

/* oxlint-disable no-underscore-dangle -- a name that the build replaces: see `vite.config.ts` */
declare const __HOLDFAST_ENDPOINTS__: Endpoints

/** Where the test's backend is. */
export const endpoints: Endpoints = __HOLDFAST_ENDPOINTS__

/** A token of the app's own server; a stored one would be a secret on disk. */
export async function freshToken(): Promise<string> {
  const response = await fetch(`${endpoints.put}/token`, { method: 'POST' })
  return ((await response.json()) as { token: string }).token
}
