import { expect, it } from 'vitest'
import { byteSemaphore } from './byte-semaphore.ts'

/** Who is in, in the order of their coming. */
function room(mostBytes: number, leastBytes: number) {
  const acquire = byteSemaphore(mostBytes, leastBytes)
  const inside: number[] = []
  const releases: (() => void)[] = []
  return {
    inside,
    releases,
    async enter(...sizes: number[]) {
      for (const bytes of sizes)
        void acquire(bytes).then((release) => {
          inside.push(bytes)
          releases.push(release)
        })
      await new Promise((resolve) => setTimeout(resolve))
    },
    async leave(nth: number) {
      releases[nth]?.()
      await new Promise((resolve) => setTimeout(resolve))
    },
  }
}

it('lets in what fits, and the rest in order as room comes free', async () => {
  const { enter, leave, inside } = room(10, 1)
  await enter(6, 4, 5, 1)
  expect(inside).toEqual([6, 4])
  await leave(1)
  expect(inside).toEqual([6, 4])
  await leave(0)
  expect(inside).toEqual([6, 4, 5, 1])
})

it('lets in so many at a time at most, however small they are', async () => {
  const { enter, leave, inside } = room(1_000, 500)
  await enter(1, 2, 3)
  expect(inside).toEqual([1, 2])
  await leave(0)
  expect(inside).toEqual([1, 2, 3])
})
