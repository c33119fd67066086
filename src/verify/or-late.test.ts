import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { orLate } from './or-late.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('work that takes too long is late, and no sooner', async () => {
  const told = orLate(100, new Promise(() => {}))
  await vi.advanceTimersByTimeAsync(99)
  expect(vi.getTimerCount()).toBe(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(await told).toBe('late')
})

it('of work that ends, or fails, no timer is left', async () => {
  expect(await orLate(100, Promise.resolve('done'))).toBe('done')
  await expect(orLate(100, Promise.reject(new Error('bad')))).rejects.toThrow('bad')
  expect(vi.getTimerCount()).toBe(0)
})
