import { expect, it } from 'vitest'
import { pauses } from './pauses.ts'

it('long work gives way to what else is to be done', async () => {
  const pause = pauses()
  const untilMs = performance.now() + 60_000
  const done: string[] = []
  setTimeout(() => done.push('what else'))
  while (done.length === 0 && performance.now() < untilMs) await pause()
  expect(done).toEqual(['what else'])
})
