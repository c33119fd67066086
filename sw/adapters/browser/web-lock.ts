import type { Lock } from '../../ports/platform.ts'

/** Web Locks: one namespace for all pages and worker versions; freed when a holder dies. */
export const webLock = (): Lock => ({
  run: (name, work) => navigator.locks.request(name, work),
  // Shared, so that two worker versions that watch one recorder do not hold each other up.
  released: (name) => navigator.locks.request(name, { mode: 'shared' }, async () => undefined),
})
