import type { Store, WriteNeeds, WriteTransaction } from '../../ports/store.ts'
import { HoldfastError } from '../../../src/protocol/errors.ts'

interface Waiting {
  work(tx: WriteTransaction): Promise<unknown>
  readonly needs: WriteNeeds
  /** Of the last time that it ran: a transaction may fall and run again. */
  result?: unknown
  resolve(result: unknown): void
  reject(error: unknown): void
}

/**
 * Writes in turn, and what came in during one transaction together in the next: many changes wait for the disk once.
 * Each is still whole or not at all: where one of a group throws, each runs in a transaction of its own. What may be
 * repeated waits a moment for company, until anything comes in that may not.
 *
 * @param write runs one transaction
 * @param lingerMs how long that moment is
 */
export function groupCommit(write: Store['write'], lingerMs = 0): Store['write'] {
  const waiting: Waiting[] = []
  let busy = false
  let hurry = () => {}

  const linger = () =>
    new Promise<void>((over) => {
      hurry = over
      setTimeout(over, lingerMs)
    })

  async function commit(group: readonly Waiting[]): Promise<void> {
    try {
      await write(async (tx) => {
        for (const one of group) one.result = await one.work(tx)
      }, needsOf(group))
      for (const { resolve, result } of group) resolve(result)
    } catch (error) {
      // A failing database fails for each of them.
      if (group.length === 1 || HoldfastError.from(error).code === 'storage-failed')
        for (const { reject } of group) reject(error)
      else for (const one of group) await commit([one])
    }
  }

  return <T>(work: (tx: WriteTransaction) => Promise<T>, needs: WriteNeeds = {}) =>
    new Promise<T>((resolve, reject) => {
      waiting.push({ work, needs, resolve: resolve as (result: unknown) => void, reject })
      if (!needs.repeatable) hurry()
      if (busy) return
      busy = true
      void (async () => {
        while (waiting.length > 0) {
          if (lingerMs && needsOf(waiting).repeatable) await linger()
          await commit(waiting.splice(0))
        }
        busy = false
      })()
    })
}

/** What all of them need: one that must be durable makes all durable. */
const needsOf = (group: readonly Waiting[]): WriteNeeds => ({
  repeatable: group.every(({ needs }) => needs.repeatable),
  records: group.every(({ needs }) => needs.records),
})
