/**
 * Lets work in as long as there is room for its bytes; the rest waits in order.
 *
 * @param bytes no more than there is room for in all
 * @returns once there is room, what gives it back, once
 */
export type ByteSemaphore = (bytes: number) => Promise<() => void>

/**
 * @param mostBytes of all that is in at a time
 * @param leastBytes what each takes at the least, so that no more are in than so often fit
 */
export function byteSemaphore(mostBytes: number, leastBytes: number): ByteSemaphore {
  const waiting: { readonly takes: number; readonly enter: () => void }[] = []
  let freeBytes = mostBytes

  const admit = () => {
    const [next] = waiting
    if (!next || next.takes > freeBytes) return
    waiting.shift()
    freeBytes -= next.takes
    next.enter()
    admit()
  }

  return async (bytes) => {
    const takes = Math.max(bytes, leastBytes)
    await new Promise<void>((enter) => {
      waiting.push({ takes, enter })
      admit()
    })
    return () => {
      freeBytes += takes
      admit()
    }
  }
}
