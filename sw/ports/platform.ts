/** Mutual exclusion across pages, workers and worker versions; a holder's death releases it. */
export interface Lock {
  /**
   * Runs `work` alone; rejects as soon as the lock is taken from it, though `work` goes on.
   *
   * @param steal takes the lock from whoever has it, and from all that wait
   */
  run<T>(name: string, work: () => Promise<T>, steal?: boolean): Promise<T>
  /** Resolves as soon as nobody holds the lock. */
  released(name: string): Promise<void>
}

/** Asks the browser to wake the worker again. */
export interface Wake {
  /** Asks if it is time to; never throws, and without an open page it can do nothing. */
  arm(): Promise<void>
  /** Tags whose last attempt has ended, though the browser may still list them; who is told of an end adds it. */
  readonly spent: Set<string>
}

/**
 * Makes the wakes of a worker, while its script is first run.
 *
 * @param drain uploads what waits; rejects while work remains
 */
export type CreateWake = (clock: Clock, drain: () => Promise<void>) => Wake

/** Time and chance. */
export interface Clock {
  /** ms since the epoch; somebody may set it, either way */
  now(): number
  /** ms since some moment: it goes on as `sleep` does, however the clock is set */
  ticks(): number
  /** uniform in [0, 1) */
  random(): number
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}
