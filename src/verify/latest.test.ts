import { expect, it } from 'vitest'
import { latestOf } from './latest.ts'

it('gives who is slower the newest alone, and the last one always', async () => {
  const steps = latestOf<number>()
  const taken: number[] = []
  const reading = (async () => {
    for await (const step of steps.items()) {
      taken.push(step)
      if (step === 1) for (const next of [2, 3, 4]) steps.put(next)
      if (step === 4) {
        steps.put(5)
        steps.end()
      }
    }
  })()
  steps.put(1)
  await reading
  expect(taken).toEqual([1, 4, 5])
})

it('throws a failure once what came before is taken', async () => {
  const steps = latestOf<number>()
  steps.put(1)
  steps.fail(new Error('why'))
  const items = steps.items()
  expect(await items.next()).toEqual({ done: false, value: 1 })
  await expect(items.next()).rejects.toThrow('why')
})
