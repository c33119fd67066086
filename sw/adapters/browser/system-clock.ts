import type { Clock } from '../../ports/platform.ts'

/** The browser's clock and chance. */
export const systemClock = (): Clock => ({
  now: () => Date.now(),
  ticks: () => performance.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve()
      const timer = setTimeout(resolve, ms)
      // Each sleep has a signal of its own, which goes with it.
      signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    }),
})
