import type { Sha256Hex } from '../protocol/ids.ts'
import type { ReadPage } from './read-page.ts'

/** Pages are small: more of them are asked for at a time than of anything else. */
export const PAGES_AT_A_TIME = 24

/** So many while the way to page 1 is looked for: a browser asks one host for six things at a time, and that is to be one. */
const ON_THE_WAY = 5

interface WaitingPage {
  readonly digest: Sha256Hex
  /** Undefined where a head alone names it. */
  readonly number: number | undefined
}

/** Which page is asked for next, and how many at a time. */
export function waitingPages(beginningFirst: boolean) {
  const waiting: WaitingPage[] = []
  let atATime = beginningFirst ? ON_THE_WAY : PAGES_AT_A_TIME
  let isOnTheWay = beginningFirst
  const rank = ({ number = 1 }: WaitingPage) => (isOnTheWay ? roundsTo(number) : number)
  return {
    add: (page: WaitingPage) => void waiting.push(page),
    next(): Sha256Hex | undefined {
      if (!beginningFirst) return waiting.shift()?.digest
      let best = 0
      for (let at = 1; at < waiting.length; at++) if (rank(waiting[at]!) < rank(waiting[best]!)) best = at
      return waiting.splice(best, 1)[0]?.digest
    },
    atATime: () => atATime,
    onRead(page: ReadPage | undefined): void {
      if (!page || page.number === 1) isOnTheWay = false
      // One more with each, so that the first chunk does not stand behind all of them.
      if (!isOnTheWay) atATime = Math.min(PAGES_AT_A_TIME, atATime + 1)
    },
  }
}

/** Rounds from a page along the links to page 1: each takes off the lowest bit of its number, or half of the only one. */
function roundsTo(number: number): number {
  let bits = -1
  for (let rest = number; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2
  return bits + Math.floor(Math.log2(number))
}
