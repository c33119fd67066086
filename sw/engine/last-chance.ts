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
    for (const { id } of waiting) await tx.addLog({ atMs: clock.now(), sessionId: id, event: 'last-chance' })
    return waiting.length
  })
}
