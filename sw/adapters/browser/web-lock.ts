import { nameFor } from '../../../src/protocol/names.ts'
import type { Lock } from '../../ports/platform.ts'

/** Web Locks: one namespace for all pages and worker versions of a registration; freed when a holder dies. */
export const webLock = (scope: string): Lock => ({
  // Where a browser has none, that is a rejection like any other.
  run: async (name, work, steal = false) => navigator.locks.request(nameFor(name, scope), { steal }, work),
  // Shared, so that of two worker versions that watch one recorder none waits for the other.
  released: (name) =>
    navigator.locks.request(nameFor(name, scope), { mode: 'shared' }, async () => undefined),
})
