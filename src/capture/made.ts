/** What one recorder has made, as far as the page has to keep it. */
export interface Made {
  /** Its first slice, which has the container's header. */
  readonly header: Blob
  /** Slices that the worker has not taken, in order, with their numbers. */
  readonly untaken: Map<Blob, number>
  count: number
}

/** What the worker has not taken of it, without a gap each, the first with the header; empty where it has all of it. */
export function runsOf({ header, untaken }: Made, type: string): readonly Blob[] {
  if (untaken.size === 0) return []
  const runs: Blob[][] = [[header]]
  let last = 0
  for (const [slice, number] of untaken) {
    if (number === 0) continue
    if (number > last + 1) runs.push([])
    runs[runs.length - 1]?.push(slice)
    last = number
  }
  return runs.map((run) => new Blob(run, { type }))
}
