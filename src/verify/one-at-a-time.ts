export type OneAtATime = <Result>(work: () => Promise<Result>) => Promise<Result>

/** Runs one work after the other, however they end. */
export function oneAtATime(): OneAtATime {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }
}
