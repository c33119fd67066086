import type { Lock } from '../../ports/platform.ts'

/** Web Locks: one namespace for all pages and worker versions; freed when a holder dies. */
export const webLock = (): Lock => ({
  run: (name, work) => navigator.locks.request(name, work),
  // Shared, so that of two worker versions that watch one recorder none waits for the other.
  released: (name) => navigator.locks.request(name, { mode: 'shared' }, async () => undefined),
})
