import { withTimeout } from './with-timeout.ts'

/**
 * Holds a Web Lock until the function that it resolves with is called, or this page dies; that resolves once it is free.
 *
 * @throws where it is not granted in time, or the browser grants none; the signal's reason
 */
export const holdLock = (
  name: string,
  timeoutMs: number,
  signal?: AbortSignal,
  mode?: LockMode,
): Promise<() => Promise<unknown>> =>
  withTimeout(timeoutMs, signal, (signal) => {
    return new Promise((resolve, reject) => {
      // One that is granted in the moment in which it is given up goes back at once.
      const held = () => signal.aborted || new Promise<void>((release) => resolve(() => (release(), freed)))
      const freed = navigator.locks.request(name, { mode: mode!, signal }, held).catch(reject)
    })
  })
