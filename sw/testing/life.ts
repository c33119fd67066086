/**
 * One worker's life. Every effect passes through it, so that a test can kill the worker just before or just after
 * any of them: nothing that a dead worker began ever comes back to it.
 */
export interface Life {
  readonly dead: boolean
  /** Effects that this worker has begun or ended so far. */
  readonly moments: number
  /** Runs one effect of the outside world, unless the worker dies before it or is dead. */
  act<T>(effect: () => Promise<T>): Promise<T>
  /** Like `act`, for what changes nothing: no place to die, but a dead worker gets no answer. */
  look<T>(question: () => Promise<T>): Promise<T>
  /** Calls back at once when the worker dies. */
  onDeath(listener: () => void): void
  die(): void
}

const never = () => new Promise<never>(() => {})

/** @param diesAt the moment at which it dies, from 1: each effect has one before it and one after it */
export function life(diesAt = Infinity): Life {
  const listeners = new Set<() => void>()
  let moments = 0
  let dead = false

  const die = () => {
    dead = true
    for (const listener of listeners) listener()
  }
  const pass = async () => {
    if (!dead && ++moments === diesAt) die()
    if (dead) await never()
  }
  return {
    get dead() {
      return dead
    },
    get moments() {
      return moments
    },
    async act(effect) {
      await pass()
      try {
        return await effect()
      } finally {
        await pass()
      }
    },
    async look(question) {
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
