import { HoldfastError } from './protocol/errors.ts'
import { TRIES, TRY_AGAIN_MS } from './timeouts.ts'

/**
 * What the work comes to, though a device that is short of memory, or of its disk, fails at it at first.
 *
 * @param onFailure told of each time that it failed
 * @throws HoldfastError after a few seconds; `bad-input` at once
 */
export async function tryAgain<T>(
  work: () => Promise<T>,
  onFailure?: (error: HoldfastError) => void,
): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await work()
    } catch (thrown) {
      const error = HoldfastError.from(thrown)
      onFailure?.(error)
      if (attempt === TRIES || error.code === 'bad-input') throw error
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS * 2 ** (attempt - 1)))
    }
}
