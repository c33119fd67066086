import { expect, it } from 'vitest'
import { aHead } from '../testing/records.ts'
import { toAskFor } from './expired-pages.ts'

// Promise 3 of docs/guarantees.md.
it('pages that the store is asked for again are those that begin the log, then those that end last: a full one before the small ones in it', () => {
  const heads = [
    aHead(2, false, 0),
    aHead(3, false, 2),
    aHead(4, false, 0),
    aHead(5, false, 4),
    aHead(8, false, 5),
    aHead(9, false, 4),
  ]
  const asked = toAskFor(heads).map(({ from, to }) => [from, to])
  expect(asked.slice(0, 2).toSorted()).toEqual([
    [0, 2],
    [0, 4],
  ])
  expect(asked.slice(2)).toEqual([
    [4, 9],
    [5, 8],
    [4, 5],
    [2, 3],
  ])
})
