import { OwnError } from '../../ports/own-error.ts'

/** A time after which the platform is not waited for any more: no await on it may last for ever. */
export interface Deadline {
  /** The time is up so many ms from now, if not later. */
  extend(ms: number): void
  /** What the promise settles with; rejects with `storage-failed` where the time is up before. */
  race<T>(promise: Promise<T>): Promise<T>
}

/**
 * A time that the database is given.
 *
 * @param ms from now
 */
export function deadline(ms: number): Deadline {
  let untilMs = performance.now() + ms
  return {
    extend(moreMs) {
      untilMs = Math.max(untilMs, performance.now() + moreMs)
    },
    race: (promise) =>
      new Promise((resolve, reject) => {
        let timer: ReturnType<typeof setTimeout> | undefined
        const look = () => {
          const leftMs = untilMs - performance.now()
          if (leftMs > 0) timer = setTimeout(look, leftMs)
          else reject(new OwnError('storage-failed', 'It took too long.'))
        }
        look()
        promise.then(resolve, reject).finally(() => clearTimeout(timer))
      }),
  }
}
