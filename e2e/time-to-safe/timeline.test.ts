import { describe, expect, it } from 'vitest'
import { foundAfter, linkTimes, moments, quantile, spans, unsafeMs, type ChunkTimes } from './timeline.ts'

const aChunk = (index: number, rest: Partial<ChunkTimes> = {}): ChunkTimes => ({
  index,
  sizeBytes: 1_000,
  durationMs: 1_000,
  capturedAtMs: 10_000 + 1_000 * index,
  ...rest,
})

describe('the link’s own time', () => {
  it('is that of the bytes where the link is faster than the recorder', () => {
    expect(linkTimes([aChunk(0), aChunk(1)], 2_000)).toEqual([500, 500])
  })

  it('grows with what waits where it is slower', () => {
    expect(linkTimes([aChunk(0), aChunk(1), aChunk(2)], 500)).toEqual([2_000, 3_000, 4_000])
  })
})

describe('video that is not safe', () => {
  it('is what the recorder holds, too', () => {
    const chunks = [aChunk(0, { storedAtMs: 10_100, listedAtMs: 10_200 })]
    expect(unsafeMs(chunks, 10_150)).toBe(1_150)
    expect(unsafeMs(chunks, 10_200)).toBe(200)
  })

  it('is that of which the store has the bytes and nobody the entry', () => {
    expect(unsafeMs([aChunk(0, { storedAtMs: 10_100 })], 11_000)).toBe(2_000)
  })
})

describe('a device that is destroyed', () => {
  const chunks = [
    aChunk(0, { acknowledgedAtMs: 10_100, listedAtMs: 10_300, anchoredAtMs: 14_000 }),
    aChunk(1, { acknowledgedAtMs: 11_100, listedAtMs: 11_300, anchoredAtMs: 50_000 }),
    aChunk(2, { acknowledgedAtMs: 12_100, listedAtMs: 12_300 }),
    aChunk(3),
  ]

  it('leaves what was listed and anchored before', () => {
    expect(foundAfter(chunks, 45_000, 30_000)).toEqual({ chunks: 3, found: 1 })
    expect(foundAfter(chunks, 50_000, 30_000)).toEqual({ chunks: 3, found: 2 })
  })

  it('is not asked for what was acknowledged later', () => {
    expect(foundAfter(chunks, 41_000, 30_000)).toEqual({ chunks: 1, found: 1 })
  })
})

it('moments leave no part of the time out', () => {
  expect(moments(0, 1_000, 4, () => 0.5)).toEqual([125, 375, 625, 875])
})

it('a quantile counts what never came', () => {
  const chunks = [aChunk(0, { acknowledgedAtMs: 1, listedAtMs: 3 }), aChunk(1, { acknowledgedAtMs: 1 })]
  const waits = spans(
    chunks,
    (chunk) => chunk.acknowledgedAtMs,
    (chunk) => chunk.listedAtMs,
  )
  expect(quantile(waits, 0.5)).toBe(2)
  expect(quantile(waits, 0.95)).toBe(Infinity)
  expect(quantile([4, 1, 3, 2], 0.75)).toBe(3)
})
