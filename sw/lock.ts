import { HoldfastError } from '../src/protocol/errors.ts'
import type { Lock } from './ports.ts'

/** Web Locks: one namespace for all pages and worker versions; freed when a holder dies. */
export const webLock = (): Lock => ({
  run: async (name, signal, work) => {
    try {
      return await navigator.locks.request(name, { signal }, work)
    } catch (error) {
      if (signal.aborted)
        throw new HoldfastError('aborted', `The wait for ${name} was ended.`, { cause: error })
      throw error
    }
  },
  // Shared, so that two worker versions that watch one recorder do not hold each other up.
  released: (name, signal) =>
    navigator.locks.request(name, { mode: 'shared', signal }, async () => undefined),
})
