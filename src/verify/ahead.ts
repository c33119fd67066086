/** How far ahead of who reads work is begun. */
export interface Ahead<Item> {
  /** At most this many items are under way, or done and not taken. */
  readonly items: number
  /** Nor more than this in sum, unless it is one alone. */
  readonly bytes: number
  bytesOf(item: Item): number
}

/**
 * Each item's work, in the order of the items, begun ahead: the first alone, so that it comes at once, then twice as
 * many with each one that is taken, up to the bound. What is under way is aborted when the reading ends.
 *
 * @param work gets a signal that aborts with the reading; its failure ends the reading in its turn
 * @param ending ends the reading, without a failure
 */
export async function* ahead<Item, Result>(
  items: readonly Item[],
  bound: Ahead<Item>,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  ending?: AbortSignal,
): AsyncGenerator<Result, void, undefined> {
  const under: {
    readonly result: Promise<Result>
    readonly bytes: number
    readonly stop: AbortController
  }[] = []
  let next = 0
  let bytes = 0
  let allowed = 1
  const mayBegin = () => {
    if (next === items.length) return false
    if (under.length === 0) return true
    return under.length < allowed && bytes + bound.bytesOf(items[next]!) <= bound.bytes
  }
  try {
    for (;;) {
      while (mayBegin()) {
        const item = items[next++]!
        const stop = new AbortController()
        const one = { result: work(item, stop.signal), bytes: bound.bytesOf(item), stop }
        // It is told in its turn, unless the reading has ended.
        one.result.catch(() => {})
        under.push(one)
        bytes += one.bytes
      }
      const first = under[0]
      if (first === undefined) return
      const taken = await orEnded(first.result, ending)
      if (!taken) return
      allowed = Math.min(bound.items, allowed * 2)
      yield taken.result
      under.shift()
      bytes -= first.bytes
    }
  } finally {
    for (const { stop } of under) stop.abort()
  }
}

/**
 * What work comes to; undefined where the reading ends first. No `Promise.race`: a promise that lasts as long as the
 * reading would keep the result of each race that it was in.
 */
function orEnded<Result>(
  work: Promise<Result>,
  ending: AbortSignal | undefined,
): Promise<{ readonly result: Result } | undefined> {
  return new Promise((resolve, reject) => {
    const end = () => resolve(undefined)
    if (ending?.aborted) end()
    ending?.addEventListener('abort', end)
    void work
      .then((result) => resolve({ result }), reject)
      .finally(() => ending?.removeEventListener('abort', end))
  })
}
