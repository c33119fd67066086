/** Waits for a turn; the function that it resolves with gives the turn back. */
export type Acquire = () => Promise<() => void>

/**
 * At most this many have a turn at a time; the others wait in order.
 *
 * @param width from 1
 */
export function semaphore(width: number): Acquire {
  const queue: (() => void)[] = []
  let free = width
  const release = () => {
    const next = queue.shift()
    if (next) next()
    else free++
  }
  return async () => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => queue.push(resolve))
    return release
  }
}
