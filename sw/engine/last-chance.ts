import type { Context } from './context.ts'
import { workRemains } from '../core/plan.ts'

/**
 * Writes down that the browser grants no further attempt.
 *
 * @returns how many recordings wait
 */
export function logLastChance({ store, clock }: Context): Promise<number> {
  return store.write(async (tx) => {
    const waiting = (await tx.openSessions()).filter(workRemains)
    await tx.addLog(waiting.map(({ id }) => ({ atMs: clock.now(), sessionId: id, event: 'last-chance' })))
    return waiting.length
  })
}
