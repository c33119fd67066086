import type { ChunkRecord } from '../../core/record.ts'
import type { ReadTransaction } from '../../ports/store.ts'
import { FULL_LOOK_MS } from './limits.ts'

/** A place in the queue, or the beginning of one. */
export type Place = readonly number[]

/**
 * The queue, and where it begins as far as this worker knows. Chromium lets an index keep the entries of what has changed
 * or is gone, and a read that begins before them asks for the record of each: after 2,500 chunks a look took 20 ms, not
 * 0.3. So it begins where the last one found something. What another worker adds before that is found a minute later.
 */
export interface Queue {
  /**
   * For one transaction that only reads.
   *
   * @param ask at most so many from one place to another, in order
   */
  reader(ask: (from: Place, to: Place, most: number) => Promise<ChunkRecord[]>): ReadTransaction['nextDue']
  /** Chunks were written with these places, and whoever waits for that does not know it yet. */
  add(places: readonly Place[]): void
}

export function createQueue(): Queue {
  /** Of what is to be sealed, from -1, and of what is to be sent, from 0: nothing is between there and here. */
  const starts = new Map<number, Place>()
  let untilMs = 0

  return {
    reader(ask) {
      const read = new Map<string, ChunkRecord[]>()
      return async (asked, skip) => {
        const key = JSON.stringify(asked)
        const next = (queue: ChunkRecord[] = []) => queue.find(({ id }) => !skip.has(id))
        const known = next(read.get(key))
        if (known) return known
        const nowMs = performance.now()
        if (nowMs > untilMs) {
          starts.clear()
          untilMs = nowMs + FULL_LOOK_MS
        }
        const [from, to] = asked
        const part = from[0]!
        const isWhole = part <= 0 && from.length === 1
        const start = isWhole && starts.get(part)
        const begin = start || from
        if (indexedDB.cmp(begin, to) > 0) return undefined
        // One request for all that are skipped, and for the next few: a cursor would be one for each.
        const found = await ask(begin, to, skip.size + 4)
        read.set(key, found)
        // Where something was added meanwhile, this may have begun after it.
        if (isWhole && starts.get(part) === start) starts.set(part, found[0]?.due ?? to)
        return next(found)
      }
    },
    add(places) {
      for (const due of places)
        for (const [part, start] of starts)
          if (due[0]! >= part && indexedDB.cmp(due, start) < 0) starts.set(part, due)
    },
  }
}
