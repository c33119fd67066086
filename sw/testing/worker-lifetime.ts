/**
 * One worker's life. Every effect passes through it, so that a test can kill the worker just before or just after
 * any of them: nothing that a dead worker began ever comes back to it.
 */
export interface WorkerLifetime {
  readonly dead: boolean
  /** Effects that this worker has begun or ended so far. */
  readonly moments: number
  /** Passes one moment; false if the worker is dead by then. */
  passes(what: string): boolean
  /** Runs one effect of the outside world, unless the worker dies before it or is dead. */
  effect<T>(effect: () => Promise<T>): Promise<T>
  /** Like `act`, for what changes nothing: no place to die, but a dead worker gets no answer. */
  query<T>(question: () => Promise<T>): Promise<T>
  /** Calls back at once when the worker dies. */
  onDeath(listener: () => void): void
  die(): void
}

/** What a dead worker waits for. */
export const never = () => new Promise<never>(() => {})

/**
 * @param diesAt the moment at which it dies, from 1: each effect has one before it and one after it
 * @param onDeathAt hears of the moment at which it died
 */
export function workerLifetime(
  diesAt = Infinity,
  onDeathAt: (what: string) => void = () => {},
): WorkerLifetime {
  const listeners = new Set<() => void>()
  let moments = 0
  let dead = false

  const die = () => {
    if (dead) return
    dead = true
    for (const listener of listeners) listener()
  }
  const passes = (what: string) => {
    if (!dead && ++moments === diesAt) {
      onDeathAt(what)
      die()
    }
    return !dead
  }
  const pass = async (what: string) => {
    if (!passes(what)) await never()
  }
  return {
    get dead() {
      return dead
    },
    get moments() {
      return moments
    },
    passes,
    async effect(effect) {
      await pass('before an effect')
      try {
        return await effect()
      } finally {
        await pass('after an effect')
      }
    },
    async query(question) {
      if (dead) await never()
      try {
        return await question()
      } finally {
        if (dead) await never()
      }
    },
    onDeath: (listener) => void listeners.add(listener),
    die,
  }
}
