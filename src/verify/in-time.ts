/** Once one has told, the others are waited for as long again as that took, and this long besides, ms. */
const GRACE_MS = 2_000

/**
 * What comes of each of several works; undefined of those that took far longer than one that told something.
 *
 * @param tells whether what came of a work is what it was for, so that the others need not be waited for for ever
 * @throws what the first work throws that does
 */
export async function inTime<Result>(
  works: readonly Promise<Result>[],
  tells: (result: Result) => boolean,
): Promise<(Result | undefined)[]> {
  const results: (Result | undefined)[] = works.map(() => undefined)
  const began = performance.now()
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    await new Promise<unknown>((resolve, reject) => {
      const working = works.map(async (work, at) => {
        const result = await work
        results[at] = result
        if (tells(result)) timer ??= setTimeout(resolve, performance.now() - began + GRACE_MS)
      })
      Promise.all(working).then(resolve, reject)
    })
    return [...results]
  } finally {
    clearTimeout(timer)
  }
}
