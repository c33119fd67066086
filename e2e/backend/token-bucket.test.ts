import { expect, test } from 'vitest'
import { tokenBuckets } from './token-bucket.ts'

test('takes a burst, then so many a second in the long run, of each client', () => {
  let nowMs = 0
  const buckets = tokenBuckets({ burst: 3, perSecond: 2, now: () => nowMs })
  expect([1, 2, 3, 4].map(() => buckets.take('a'))).toEqual([0, 0, 0, 500])
  expect(buckets.take('b')).toBe(0)
  nowMs = 400
  expect(buckets.take('a')).toBeCloseTo(100)
  nowMs = 500
  expect(buckets.take('a')).toBe(0)
  expect(buckets.take('a')).toBe(500)
  let taken = 0
  for (nowMs = 1_000; nowMs <= 101_000; nowMs += 10) if (buckets.take('a') === 0) taken += 1
  expect(taken).toBe(201)
})

test('forgets no client that has spent something, however many others come', () => {
  let nowMs = 0
  const buckets = tokenBuckets({ burst: 1, perSecond: 1, now: () => nowMs })
  for (let client = 0; client < 5_000; client += 1) buckets.take(String(client))
  expect(buckets.take('0')).toBe(1_000)
  nowMs = 1_000
  expect(buckets.take('0')).toBe(0)
})
