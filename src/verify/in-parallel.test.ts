import { expect, it } from 'vitest'
import { inParallel, PARALLEL } from './in-parallel.ts'

it('begins nothing more once one work has failed', async () => {
  const begun: number[] = []
  const items = Array.from({ length: 100 }, (_, at) => at)
  const ends: (() => void)[] = []
  const working = inParallel(items, async (item) => {
    begun.push(item)
    if (item === 3) throw new Error('no more')
    await new Promise<void>((resolve) => ends.push(resolve))
  })
  await expect(working).rejects.toThrow('no more')
  for (const end of ends.splice(0)) end()
  await new Promise(setImmediate)
  expect(begun).toHaveLength(PARALLEL)
})
