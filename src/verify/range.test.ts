import { describe, expect, it } from 'vitest'
import { partOf, streamOf } from './range.ts'

/** Chunks of 10 bytes in 100 ms each, with a gap of 1 s before the third. */
const chunks = [0, 100, 1_200, 1_300].map((atMs, index) => ({
  index,
  capturedAtMs: 5_000 + atMs,
  durationMs: 100,
  sizeBytes: 26,
}))
const part = (from: number, to?: number, unit?: 'bytes' | 'ms') => {
  const { chunks: found, skip, rest } = partOf(chunks, 5_000, from, to, unit)
  return [found.map(({ index }) => index), skip, rest]
}

describe('a part of a recording', () => {
  it.each<[from: number, to: number | undefined, part: unknown[]]>([
    [0, undefined, [[0, 1, 2, 3], 0, 0]],
    [0, 40, [[0, 1, 2, 3], 0, 0]],
    [9, 10, [[0], 9, 0]],
    [10, 11, [[1], 0, 9]],
    [9, 11, [[0, 1], 9, 9]],
    [15, 25, [[1, 2], 5, 5]],
    [12, 13, [[1], 2, 7]],
    [39, 100, [[3], 9, 0]],
    [40, undefined, [[], 0, 0]],
    [5, 5, [[], 0, 0]],
  ])('in bytes from %i to %s is cut exactly', (from, to, expected) => {
    expect(part(from, to)).toEqual(expected)
  })

  it.each<[from: number, to: number | undefined, indexes: number[]]>([
    [0, undefined, [0, 1, 2, 3]],
    [0, 100, [0]],
    [99, 101, [0, 1]],
    [100, 200, [1]],
    [200, 1_200, []],
    [250, 1_201, [2]],
    [1_350, undefined, [3]],
    [9_999, undefined, []],
  ])('in ms from %i to %s is the whole chunks that are in it', (from, to, indexes) => {
    expect(part(from, to, 'ms')).toEqual([indexes, 0, 0])
  })

  it('finds a chunk of no length where it begins', () => {
    const point = [{ index: 0, capturedAtMs: 5_000, durationMs: 0, sizeBytes: 26 }]
    expect(partOf(point, 5_000, 0, 1, 'ms').chunks).toEqual(point)
    expect(partOf(point, 5_000, 1, 2, 'ms').chunks).toEqual([])
  })

  it.each([
    [-1, 2],
    [3, 2],
    [NaN, 2],
    [0, NaN],
  ])('from %d to %d is refused', (from, to) => {
    expect(() => part(from, to)).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })
})

describe('a stream', () => {
  it('asks for each piece when it is wanted, and for none that is not', async () => {
    const asked: number[] = []
    let isOver = false
    async function* pieces() {
      try {
        for (let at = 0; ; at++) {
          asked.push(at)
          yield at
        }
      } finally {
        isOver = true
      }
    }
    const reader = streamOf(pieces()).getReader()
    expect(asked).toEqual([])
    expect([(await reader.read()).value, (await reader.read()).value]).toEqual([0, 1])
    expect(asked).toEqual([0, 1])
    await reader.cancel()
    expect(isOver).toBe(true)
  })

  it('ends, and fails, as its pieces do', async () => {
    const reader = streamOf((async function* () {})()).getReader()
    expect((await reader.read()).done).toBe(true)
    const failing = streamOf<number>(
      // oxlint-disable-next-line require-yield
      (async function* () {
        throw new Error('bad')
      })(),
    )
    await expect(failing.getReader().read()).rejects.toThrow('bad')
  })
})
