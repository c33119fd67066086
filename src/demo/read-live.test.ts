import { describe, expect, it } from 'vitest'
import { VerificationError, type JudgedChunk, type ListedChunk } from '../verify/index.ts'
import { lengthOf, liveReading, pieceAt, runsOf } from './read-live.ts'

const TAG = 16
const texts = ['one', 'two!', 'three', 'four', 'five']

const listed = (index: number, existedBeforeMs = 50_000 + index): ListedChunk => ({
  index,
  position: index + 1,
  capturedAtMs: index,
  durationMs: 1_000,
  sizeBytes: (texts[index]?.length ?? 0) + TAG,
  existedBeforeMs,
})

type Broken = Partial<Record<number, 'chunk-missing' | 'gateway-unreachable'>>

/** A recording that lists these pieces by now; `broken` is what is said of one instead of its bytes. */
function recording(indexes: readonly number[], broken: Broken = {}) {
  const asked: number[] = []
  const all = indexes.map((index) => listed(index))
  return {
    asked,
    listed: all,
    async *chunks(
      isWanted: (chunk: ListedChunk) => boolean = () => true,
    ): AsyncGenerator<JudgedChunk, void, undefined> {
      for (const chunk of all) {
        if (!isWanted(chunk)) continue
        const { index, capturedAtMs, durationMs, existedBeforeMs } = chunk
        asked.push(index)
        const code = broken[index]
        const judged = { index, capturedAtMs, durationMs, existedBeforeMs }
        const error = new VerificationError(code ?? 'chunk-missing', 'fetching a chunk', 'why')
        const plaintext = new Uint8Array(new TextEncoder().encode(texts[index]))
        yield code ? { ...judged, verdict: code, error } : { ...judged, verdict: 'proved', plaintext }
      }
    },
  }
}

type Recording = ReturnType<typeof recording>
interface Step {
  readonly session: Recording
  readonly isLast: boolean
}

async function* steps(...sessions: readonly Recording[]): AsyncGenerator<Step, void, undefined> {
  for (const [at, session] of sessions.entries()) yield { session, isLast: at === sessions.length - 1 }
}

async function all(
  live: ReturnType<typeof liveReading<Recording>>,
  opening: AsyncGenerator<Step, void, undefined>,
) {
  const read: string[] = []
  for await (const chunk of live.read(opening, () => undefined))
    read.push(chunk.verdict === 'proved' ? new TextDecoder().decode(chunk.plaintext) : chunk.verdict)
  return read
}

const indexesOf = (live: ReturnType<typeof liveReading<Recording>>) => live.pieces().map(({ index }) => index)

describe('reading a recording while it is made', () => {
  it('gives each piece once, those that are new alone', async () => {
    const live = liveReading<Recording>()
    expect(await all(live, steps(recording([0, 1])))).toEqual(['one', 'two!'])
    const later = recording([0, 1, 2])
    expect(await all(live, steps(later))).toEqual(['three'])
    expect(later.asked).toEqual([2])
  })

  it('knows for each second of the video whether it is proved, and since when', async () => {
    const live = liveReading<Recording>()
    const three = recording([0, 1, 2], { 1: 'chunk-missing' })
    await all(live, steps(three))
    expect([500, 1_500, 2_999, 3_000].map((ms) => pieceAt(live.pieces(), ms)?.verdict)).toEqual([
      'proved',
      'chunk-missing',
      'proved',
      undefined,
    ])
    expect(pieceAt(live.pieces(), 2_000)).toMatchObject({ index: 2, existedBeforeMs: 50_002 })
    expect(lengthOf(three.listed)).toBe(3_000)
  })

  it('asks again for what no store answered for', async () => {
    const live = liveReading<Recording>()
    expect(await all(live, steps(recording([0, 1], { 0: 'gateway-unreachable' })))).toEqual([
      'gateway-unreachable',
      'two!',
    ])
    const later = recording([0, 1])
    expect(await all(live, steps(later))).toEqual(['one'])
    expect(later.asked).toEqual([0])
    expect(live.pieces().map(({ verdict }) => verdict)).toEqual(['proved', 'proved'])
  })
})

describe('reading a recording that opens in steps', () => {
  it('reads a step until the next is there, and nothing twice', async () => {
    const live = liveReading<Recording>()
    const [first, second, third] = [recording([0]), recording([0, 1, 2]), recording([0, 1, 2, 3])]
    expect(await all(live, steps(first, second, third))).toEqual(['one', 'two!', 'three', 'four'])
    expect(first.asked).toEqual([0])
    // The third was there once one piece of the second was read.
    expect([...second.asked, ...third.asked]).toEqual([1, 2, 3])
    expect(second.asked).toEqual([1])
  })

  it('tells of a step before the pieces that it has', async () => {
    const live = liveReading<Recording>()
    const told: number[] = []
    const opening = steps(recording([0]), recording([0, 1]))
    const reading = live.read(opening, ({ session }) => told.push(session.listed.length))
    expect(told).toEqual([])
    await reading.next()
    expect(told).toEqual([1])
    await reading.next()
    expect(told).toEqual([1, 2])
  })

  it('takes back what the last step lists no more, and takes the times that it tells', async () => {
    const live = liveReading<Recording>()
    const last = recording([0, 2])
    last.listed[0] = listed(0, 90_000)
    await all(live, steps(recording([0, 1]), last))
    expect(indexesOf(live)).toEqual([0, 2])
    expect(live.pieces()[0]).toMatchObject({ existedBeforeMs: 90_000, fromMs: 0 })
    expect(live.pieces()[1]).toMatchObject({ fromMs: 1_000, toMs: 2_000 })
  })

  it('that is opened again shows no less than before meanwhile', async () => {
    const live = liveReading<Recording>()
    await all(live, steps(recording([0, 1, 2])))
    const seen: number[][] = []
    for await (const _ of live.read(steps(recording([0]), recording([0, 1, 2, 3])), () =>
      seen.push(indexesOf(live)),
    ))
      seen.push(indexesOf(live))
    expect(seen).toEqual([
      [0, 1, 2],
      [0, 1, 2, 3],
    ])
  })

  it('throws what an opening ends with, once what was proved before is given', async () => {
    const live = liveReading<Recording>()
    async function* broken(): AsyncGenerator<Step, void, undefined> {
      yield { session: recording([0]), isLast: false }
      throw new VerificationError('heads-withheld', 'reading the registry', 'why')
    }
    await expect(all(live, broken())).rejects.toMatchObject({ code: 'heads-withheld' })
    expect(indexesOf(live)).toEqual([0])
  })
})

it('joins what has nothing missing between it, in its order, however late it came', async () => {
  const parts = new Map([3, 0, 1, 4].map((index) => [index, new Blob([texts[index] ?? ''])]))
  expect(await Promise.all(runsOf(parts).map((run) => run.text()))).toEqual(['onetwo!', 'fourfive'])
})
