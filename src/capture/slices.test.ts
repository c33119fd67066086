import { describe, expect, it } from 'vitest'
import { MAX_CHUNK_BYTES } from '../protocol/messages.ts'
import { MAX_PIECE_BYTES, takeJoined, type Slice } from './slices.ts'

const slice = (capturedAtMs: number, durationMs: number, data = 'x'): Slice => ({
  data: new Blob([data]),
  capturedAtMs,
  durationMs,
  taken: () => {},
})

describe('takeJoined', () => {
  it('takes what follows on the first, up to the length of a chunk, and leaves the rest in order', () => {
    const waiting = [slice(0, 1_000), slice(1_000, 1_000), slice(2_000, 1_000), slice(3_000, 1_000)]
    const [, , third, last] = waiting
    expect(takeJoined(waiting, 2_500)).toMatchObject({ capturedAtMs: 0, durationMs: 2_000 })
    expect(waiting).toEqual([third, last])
  })

  it('joins nothing over a gap, over the largest piece, or where a slice alone is longer', () => {
    expect(takeJoined([slice(0, 1_000), slice(1_001, 1_000)], 9_000).durationMs).toBe(1_000)
    const large = 'x'.repeat(MAX_PIECE_BYTES - 1)
    expect(takeJoined([slice(0, 1, large), slice(1, 1), slice(2, 1)], 9_000).durationMs).toBe(2)
    expect(takeJoined([slice(0, 9_000), slice(9_000, 1)], 5_000).durationMs).toBe(9_000)
    expect(MAX_PIECE_BYTES).toBeLessThan(MAX_CHUNK_BYTES)
  })
})
