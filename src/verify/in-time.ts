/** Once one result was useful, the others have as long again as that took, and this long on top, ms. */
const GRACE_MS = 2_000

/**
 * The result of each work; undefined for those that took far longer than one whose result was useful.
 *
 * @param isUseful whether a result is what the work was for, so that the others have a limit
 * @throws what the first work that throws does
 */
export async function inTime<Result>(
  works: readonly Promise<Result>[],
  isUseful: (result: Result) => boolean,
): Promise<(Result | undefined)[]> {
  const results: (Result | undefined)[] = works.map(() => undefined)
  const began = performance.now()
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    await new Promise<unknown>((resolve, reject) => {
      const working = works.map(async (work, at) => {
        const result = await work
        results[at] = result
        if (isUseful(result)) timer ??= setTimeout(resolve, performance.now() - began + GRACE_MS)
      })
      Promise.all(working).then(resolve, reject)
    })
    return [...results]
  } finally {
    clearTimeout(timer)
  }
}
