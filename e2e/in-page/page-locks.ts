/** Web Locks; each page lets go of its own where it dies. */
export function pageLocks() {
  const held = new Map<() => void, { name: string; mode: LockMode }>()
  let waiting: { name: string; mode: LockMode; grant: () => void }[] = []
  const isFree = (name: string, mode: LockMode) =>
    [...held.values()].every((each) => each.name !== name || (mode === 'shared' && each.mode === mode))
  const request = async (name: string, ...rest: unknown[]): Promise<unknown> => {
    const work = rest.at(-1) as (lock: object | null) => Promise<unknown>
    const { signal, mode = 'exclusive', ifAvailable } = (rest.length > 1 ? rest[0] : {}) as LockOptions
    if (ifAvailable && !isFree(name, mode)) return work(null)
    while (!isFree(name, mode))
      await new Promise<void>((grant, reject) => {
        waiting.push({ name, mode, grant })
        signal?.addEventListener('abort', () => reject(signal.reason as Error))
      })
    let die = () => {}
    const died = new Promise<void>((resolve) => (die = resolve))
    held.set(die, { name, mode })
    // As in a browser, the page hears of it later.
    await Promise.resolve()
    return Promise.race([work({ name, mode }), died]).finally(() => {
      held.delete(die)
      const next = waiting
      waiting = []
      for (const { grant } of next) grant()
    })
  }
  const exclusive = () => [...held.values()].filter(({ mode }) => mode === 'exclusive').length
  return {
    request,
    held,
    exclusive,
    waits: () => waiting.length,
    die: () => [...held.keys()].forEach((die) => die()),
  }
}
