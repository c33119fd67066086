/** Waits for a turn; the function that it resolves with gives the turn back. */
export type TakeTurn = () => Promise<() => void>

/**
 * At most so many have a turn at a time; the others wait in order.
 *
 * @param width from 1
 */
export function turns(width: number): TakeTurn {
  const queue: (() => void)[] = []
  let free = width
  const giveBack = () => {
    const next = queue.shift()
    if (next) next()
    else free++
  }
  return async () => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => queue.push(resolve))
    return giveBack
  }
}
