/** Lets work in as long as there is room for its bytes; the rest waits in order. */
export interface ByteSemaphore {
  /** Resolves once there is room; the function that it resolves with gives the room back, once. */
  acquire(bytes: number): Promise<() => void>
}

/**
 * @param mostBytes of all that is in at a time; what is larger is let in alone
 * @param mostHolders from 1
 */
export function byteSemaphore(mostBytes: number, mostHolders: number): ByteSemaphore {
  const waiting: { readonly bytes: number; readonly enter: () => void }[] = []
  let usedBytes = 0
  let holders = 0

  const admit = () => {
    const [next] = waiting
    if (!next) return
    const isFull = holders >= mostHolders || usedBytes + next.bytes > mostBytes
    if (holders > 0 && isFull) return
    waiting.shift()
    usedBytes += next.bytes
    holders++
    next.enter()
    admit()
  }

  return {
    async acquire(bytes) {
      await new Promise<void>((enter) => {
        waiting.push({ bytes, enter })
        admit()
      })
      return () => {
        usedBytes -= bytes
        holders--
        admit()
      }
    },
  }
}
