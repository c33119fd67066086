import { OwnError } from '../../ports/own-error.ts'

/** A time after which the platform is not waited for any more: no await on it may last for ever. */
export interface Deadline {
  /** The time is up so many ms from now. */
  endIn(ms: number): void
  /** What the promise settles with; rejects with `storage-failed` where the time is up before. */
  race<T>(promise: Promise<T>): Promise<T>
}

/**
 * A time that the database is given.
 *
 * @param ms from now
 */
export function deadline(ms: number): Deadline {
  let timer: ReturnType<typeof setTimeout> | undefined
  let endIn!: Deadline['endIn']
  const over = new Promise<never>((_resolve, reject) => {
    endIn = (inMs) => {
      clearTimeout(timer)
      timer = setTimeout(() => reject(new OwnError('storage-failed', 'It took too long.')), inMs)
    }
  })
  endIn(ms)
  return { endIn, race: (promise) => Promise.race([promise, over]).finally(() => clearTimeout(timer)) }
}
