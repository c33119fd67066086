/** What one recorder has made, as far as the page has to keep it. */
export interface Made {
  /** Its first slice, which has the container's header. */
  readonly header: Blob
  /** Slices that the worker has not taken, in order, with their numbers. */
  readonly untaken: Map<Blob, number>
  count: number
}

/**
 * Keeps the slices of one recorder more, which counts from its first slice on.
 *
 * @returns keeps a slice, until what it returns is called
 */
export function keepIn(made: Made[]): (slice: Blob) => () => void {
  let own: Made | undefined
  return (slice) => {
    if (!own) made.push((own = { header: slice, untaken: new Map(), count: 0 }))
    const { untaken } = own
    untaken.set(slice, own.count++)
    return () => untaken.delete(slice)
  }
}

/** What the worker has not taken, of each recorder in runs without a gap, the first with the header; of none that it has all of. */
export const runsOf = (made: readonly Made[], type: string): readonly (readonly Blob[])[] =>
  made.map((one) => runsOfOne(one, type)).filter((runs) => runs.length > 0)

function runsOfOne({ header, untaken }: Made, type: string): readonly Blob[] {
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
