import { isHoldfastError } from './protocol/errors.ts'

/**
 * Asks, and after a silence again: a worker may be stopped before it answers.
 *
 * @param times in all, from 1
 */
export const askUpTo = <Answer>(times: number, ask: () => Promise<Answer>): Promise<Answer> =>
  ask().catch((error: unknown) => {
    if (times > 1 && isHoldfastError(error, 'worker-timeout')) return askUpTo(times - 1, ask)
    throw error
  })
