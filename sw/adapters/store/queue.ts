import type { ChunkRecord } from '../../core/record.ts'
import { TO_SEAL, TO_SEND } from '../../core/session.ts'
import type { ReadTransaction } from '../../ports/store.ts'
import { FIRST_MANY, FULL_LOOK_MS, NEXT_FEW } from './limits.ts'

/** A place in the queue, or the beginning of one. */
export type Place = readonly number[]

/** Reads at most so many from one place to another, in order. */
type Ask = (from: Place, to: Place, most: number) => Promise<ChunkRecord[]>

/**
 * The queue, and where it begins as far as this worker knows. Chromium lets an index keep the entries of what has changed
 * or is gone, and a read that begins before them asks for the record of each: after 2,500 chunks a look took 20 ms, not
 * 0.3. So it begins where the last one found something; where that found nothing and nothing was added, nothing is asked.
 * What another worker adds before that is found a minute later.
 */
export interface Queue {
  /** For one transaction that only reads. */
  reader(ask: Ask): ReadTransaction['nextDue']
  /** Chunks were written with these places, and whoever waits for that does not know it yet. */
  add(places: readonly Place[]): void
}

/** The first from a place on, and up to which place that is all. */
interface First {
  readonly from: Place
  readonly found: readonly ChunkRecord[]
  readonly upTo: Place
}

export function createQueue(): Queue {
  /** By the low end of a part: nothing is between there and here. */
  const starts = new Map<Place, Place>()
  let untilMs = 0

  return {
    reader(ask) {
      const known: First[] = []

      async function firstOf(from: Place, to: Place, most: number): Promise<First> {
        const found = isBefore(from, to) ? await ask(from, to, most) : []
        return { from, found, upTo: found.length < most ? to : found.at(-1)!.due! }
      }

      async function firstOfPart(low: Place, high: Place, most: number): Promise<First> {
        const nowMs = performance.now()
        if (nowMs > untilMs) {
          starts.clear()
          untilMs = nowMs + FULL_LOOK_MS
        }
        const start = starts.get(low)
        const first = await firstOf(start ?? low, high, most)
        // Where something was added meanwhile, this may have begun after it.
        if (starts.get(low) === start) starts.set(low, first.found[0]?.due ?? high)
        return { ...first, from: low }
      }

      return async ([from, to], skip) => {
        const most = Math.max(skip.size + NEXT_FEW, FIRST_MANY)
        const isNext = ({ id, due }: ChunkRecord) =>
          !skip.has(id) && !isBefore(due!, from) && !isBefore(to, due!)
        const part = [TO_SEAL, TO_SEND].find(([low, high]) => !isBefore(from, low) && !isBefore(high, to))
        for (;;) {
          let begin = from
          for (const first of known) {
            if (isBefore(begin, first.from)) continue
            const next = first.found.find(isNext)
            if (next || !isBefore(first.upTo, to)) return next
            // Not from before what is known: there is the most that was changed or is gone.
            if (isBefore(begin, first.upTo)) begin = first.upTo
          }
          // Most questions of a look are about the first of a part, all of one that has few. What is read beyond this question
          // answers later ones.
          const isNew = part && !known.some((first) => first.from === part[0])
          known.push(isNew ? await firstOfPart(...part, most) : await firstOf(begin, part?.[1] ?? to, most))
        }
      }
    },
    add(places) {
      for (const due of places)
        for (const [low, start] of starts)
          if (due[0]! >= low[0]! && isBefore(due, start)) starts.set(low, due)
    },
  }
}

const isBefore = (one: Place, other: Place) => indexedDB.cmp(one, other) < 0
