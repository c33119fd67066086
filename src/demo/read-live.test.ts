import { describe, expect, it } from 'vitest'
import { VerificationError, type JudgedChunk, type ListedChunk } from '../verify/index.ts'
import { lengthOf, liveReading, pieceAt } from './read-live.ts'

const TAG = 16
const texts = ['one', 'two!', 'three']

const chunk = (index: number): ListedChunk => ({
  index,
  position: index + 1,
  capturedAtMs: index,
  durationMs: 1_000,
  sizeBytes: (texts[index]?.length ?? 0) + TAG,
  existedBeforeMs: 50_000 + index,
})

/** A recording that has so many pieces by now; `broken` throws for a piece. */
function recording(
  count: number,
  broken: Partial<Record<number, 'chunk-missing' | 'gateway-unreachable'>> = {},
) {
  const asked: string[] = []
  const all = texts.join('')
  return {
    asked,
    listed: Array.from({ length: count }, (_, index) => chunk(index)),
    async *chunks(): AsyncGenerator<JudgedChunk, void, undefined> {
      for (const { index, capturedAtMs, durationMs, existedBeforeMs } of Array.from(
        { length: count },
        (_, at) => chunk(at),
      )) {
        asked.push(texts[index] ?? '')
        const code = broken[index]
        const judged = { index, capturedAtMs, durationMs, existedBeforeMs }
        const error = new VerificationError(code ?? 'chunk-missing', 'fetching a chunk', 'why')
        const plaintext = new Uint8Array(new TextEncoder().encode(texts[index]))
        yield code ? { ...judged, verdict: code, error } : { ...judged, verdict: 'proved', plaintext }
      }
    },
    async *range(from: number, to = Infinity) {
      asked.push(all.slice(from, to))
      const code = broken[texts.indexOf(all.slice(from, to))]
      if (code) throw new VerificationError(code, 'fetching a chunk', 'why')
      // In two parts, as it may come.
      yield new TextEncoder().encode(all.slice(from, from + 1))
      yield new TextEncoder().encode(all.slice(from + 1, to))
    },
  }
}

async function all(pieces: AsyncGenerator<{ readonly verdict: string; readonly bytes?: Uint8Array }>) {
  const read: string[] = []
  for await (const { verdict, bytes } of pieces) read.push(bytes ? new TextDecoder().decode(bytes) : verdict)
  return read
}

describe('reading a recording while it is made', () => {
  it('gives each piece once, those that are new alone', async () => {
    const live = liveReading()
    expect(await all(live.read(recording(2)))).toEqual(['one', 'two!'])
    const later = recording(3)
    expect(await all(live.read(later))).toEqual(['three'])
    expect(later.asked).toEqual(['three'])
  })

  it('knows for each second of the video whether it is proved, and since when', async () => {
    const live = liveReading()
    await all(live.read(recording(3, { 1: 'chunk-missing' })))
    expect([500, 1_500, 2_999, 3_000].map((ms) => pieceAt(live.pieces(), ms)?.verdict)).toEqual([
      'proved',
      'chunk-missing',
      'proved',
      undefined,
    ])
    expect(pieceAt(live.pieces(), 2_000)).toMatchObject({ index: 2, existedBeforeMs: 50_002 })
    expect(lengthOf(recording(3).listed)).toBe(3_000)
  })

  it('asks again for what no store answered for, and plays it nowhere else than in its place', async () => {
    const live = liveReading()
    expect(await all(live.read(recording(2, { 0: 'gateway-unreachable' })))).toEqual([
      'gateway-unreachable',
      'two!',
    ])
    const later = recording(2)
    expect(await all(live.read(later))).toEqual(['proved'])
    expect(later.asked).toEqual(['one'])
    expect(live.pieces().map(({ verdict }) => verdict)).toEqual(['proved', 'proved'])
  })
})
