/** Requests that one reader has under way at a time, of each kind. */
export const PARALLEL = 8

/** Each item's work, some at a time; results in the order of the items. With the first failure nothing more is begun. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const left = items.entries()
  let isOver = false
  const worker = async () => {
    for (const [at, item] of left) {
      if (isOver) return
      results[at] = await work(item)
    }
  }
  const working = Promise.all(Array.from({ length: PARALLEL }, worker))
  await working.finally(() => (isOver = true))
  return results
}
