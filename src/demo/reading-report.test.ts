import { describe, expect, it } from 'vitest'
import type { SessionName, Sha256Hex } from '../protocol/ids.ts'
import type { VerificationCode } from '../protocol/verification-code.ts'
import {
  VerificationError,
  type BadChunk,
  type HeadReport,
  type ListedChunk,
  type SignedHead,
} from '../verify/index.ts'
import { formatMoment } from './format.ts'
import { extentOf, findingsOf, ranges, type Reading } from './reading-report.ts'

const BEFORE_MS = 1_700_000_000_000

const listed = (index: number): ListedChunk => ({
  index,
  position: index + 1,
  capturedAtMs: 0,
  durationMs: 500,
  sizeBytes: 100,
  existedBeforeMs: BEFORE_MS + 60_000 * index,
})

function bad(index: number, code: VerificationCode = 'chunk-missing'): BadChunk {
  const error = new VerificationError(code, 'fetching a chunk', `Chunk ${index}: why`, { index })
  return { ...listed(index), verdict: code, error }
}

const head = (verdict: HeadReport['verdict'], why?: string): HeadReport => ({
  size: 3,
  root: '22'.repeat(32) as Sha256Hex,
  blockNumber: 17,
  timeMs: BEFORE_MS,
  verdict,
  ...(why !== undefined && { why }),
})

function reading(
  { proved = [], bad: badChunks = [] }: Partial<Reading>,
  session: Partial<Reading['session']> = {},
): Reading {
  const indexes = [...proved, ...badChunks.map(({ index }) => index)].toSorted((a, b) => a - b)
  return {
    proved,
    bad: badChunks,
    session: {
      name: '11'.repeat(32) as SessionName,
      startedAtMs: 0,
      mimeType: 'video/webm',
      ending: 'complete',
      heads: [head('good')],
      // Nothing is said of it.
      newestHead: { head: {} as SignedHead, groups: [] },
      size: indexes.length + 2,
      missingIndexes: [],
      missingCount: 0,
      lostEntries: [],
      lostPages: [],
      forked: [],
      repeated: [],
      notes: [],
      listed: indexes.map(listed),
      ...session,
    },
  }
}

const said = (one: Reading) => findingsOf(one).map(({ about, words }) => `${about}: ${words}`)

describe('what is said of a recording that was read back', () => {
  it('is what it says of itself, too: what became of its source, and what its app wrote', () => {
    const note = (atMs: number, value?: Record<string, unknown>) => ({
      position: 1,
      atMs,
      ...(value && { value }),
    })
    const notes = [
      note(0, { holdfast: 'test-picture' }),
      note(7_000, { holdfast: 'source', video: 'lost', audio: 'live' }),
      note(8_000, { holdfast: 'continued', after: 'frozen' }),
      note(9_000, { text: 'a' }),
      note(10_000),
      // Nested deeper than can be written.
      note(11_000, JSON.parse(`{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`) as Record<string, unknown>),
    ]
    expect(said(reading({ proved: [0] }, { notes })).slice(1)).toEqual([
      'note: This is a test picture, and no evidence: whoever recorded it had no camera.',
      'note: From 00:07 on, as its recorder wrote: the camera is gone, the microphone gives sound.',
      'note: It goes on with another recording: the page that made that one had been stopped for a while.',
      'note: Its app wrote at 00:09: {"text":"a"}',
      'note: Its app wrote something at 00:10 that does not open.',
      'note: Its app wrote something at 00:11 that does not open.',
    ])
    const many = Array.from({ length: 22 }, () => note(1))
    expect(said(reading({ proved: [0] }, { notes: many })).at(-1)).toBe('note: It says 2 things more.')
  })

  it('is one sentence where all is proved: how much, and before when it existed', () => {
    const whole = reading({ proved: [0, 1, 2] })
    const before = formatMoment(BEFORE_MS + 120_000)
    expect(said(whole)).toEqual([
      `proved: All proved: 3 pieces. They existed before ${before}, by the clock of the public record.`,
    ])
    expect(extentOf(whole)).toBe('whole')
  })

  it('counts what is proved beside what is not, and takes the time of what is proved', () => {
    const partial = reading({ proved: [0, 1], bad: [bad(2)] })
    expect(said(partial)).toEqual([
      `proved: Proved: 2 of 3 pieces. They existed before ${formatMoment(BEFORE_MS + 60_000)}, by the clock of the public record.`,
      'bad: Piece 2 is no longer where the recording is kept. Try again later: somebody may have it still.',
    ])
    expect(extentOf(partial)).toBe('partial')
  })

  it('draws chunks that failed the same check together, and names the check', () => {
    const findings = findingsOf(
      reading({
        proved: [3],
        bad: [bad(0), bad(1), bad(2, 'chunk-decrypt'), bad(4, 'gateway-unreachable'), bad(7)],
      }),
    )
    expect(
      findings.slice(1).map(({ code, index, tone, words }) => [code, index, tone, words.split('.')[0]]),
    ).toEqual([
      ['chunk-missing', 0, 'alert', 'Pieces 0, 1, 7 are no longer where the recording is kept'],
      ['chunk-decrypt', 2, 'alert', 'Piece 2 does not open'],
      // It says nothing about the evidence.
      [
        'gateway-unreachable',
        4,
        'wait',
        'Piece 4 could not be fetched: the place that keeps the recording gave no answer',
      ],
    ])
    expect(findings[1]?.detail).toBe('Check: chunk-missing. Chunk 0: why')
  })

  it('says that nothing is proved, or that there is nothing to prove', () => {
    const none = reading({ bad: [bad(0), bad(1)] })
    expect(said(none)[0]).toBe('proved: None of 2 pieces is proved.')
    expect(extentOf(none)).toBe('nothing')
    expect(said(reading({}))).toEqual(['proved: Nothing of it is listed.'])
  })

  it('tells gaps that were never anchored from those that a lost page may fill', () => {
    const gap = { missingIndexes: [1], missingCount: 1 }
    const never = reading({ proved: [0, 2] }, gap)
    expect(said(never)[1]).toBe(
      'missing: Missing, since never made public: 1 piece (1). The recording jumps there.',
    )
    expect(extentOf(never)).toBe('partial')

    const lostPages = [new VerificationError('page-missing', 'fetching the pages', 'Page 2: why')]
    const lost = reading({ proved: [0, 2] }, { ...gap, lostEntries: [{ from: 2, to: 4 }], lostPages })
    expect(said(lost)[1]).toContain('in no part of its list that can be read')
    expect(said(lost)[2]).toMatch(
      /^lost: 2 lines of the list of its pieces cannot be read, and may name more\. Try again/,
    )
    expect(findingsOf(lost)[2]).toMatchObject({ code: 'page-missing', tone: 'alert' })
    expect(extentOf(lost)).toBe('partial')
  })

  it('says that a log was forked, and what is left out', () => {
    const forked = reading({ proved: [0] }, { heads: [head('good'), head('forked', 'it differs')] })
    expect(findingsOf(forked)[1]).toEqual({
      about: 'forked',
      tone: 'alert',
      words:
        'From a later time on (block 17) the list of its pieces contradicts what was proved before, which stands.',
      detail: 'It differs',
    })
    expect(extentOf(forked)).toBe('partial')
  })

  it('says that there is more than is followed, and calls that no contradiction', () => {
    const more = reading(
      { proved: [0] },
      { heads: [head('good'), head('not-followed', 'there are too many')] },
    )
    expect(findingsOf(more)[1]).toEqual({
      about: 'more',
      tone: 'wait',
      words: 'The public record goes on (from block 17) beyond what is read of one recording.',
      detail: 'There are too many',
    })
    expect(extentOf(more)).toBe('partial')
  })

  it('leaves out heads that others signed, which takes nothing from the recording', () => {
    const stranger = reading({ proved: [0] }, { heads: [head('good'), head('bad-signature')] })
    expect(said(stranger)[1]).toBe(
      'unsigned: Left out, since not signed by the recording’s key: 1 note in the public record.',
    )
    expect(extentOf(stranger)).toBe('whole')
  })

  it('names chunks that are listed twice', () => {
    const twice = reading({ proved: [0, 1] }, { repeated: [listed(1), listed(1)] })
    expect(said(twice)[1]).toBe('repeated: Listed more than once: 1. The first of each counts.')
  })

  it.each(['open', 'interrupted', 'discarded'] as const)('has words for an end that is %s', (ending) => {
    expect(findingsOf(reading({ proved: [0] }, { ending }))[1]).toMatchObject({
      about: 'ending',
      tone: 'wait',
    })
  })
})

describe('ranges', () => {
  it('draw runs together', () => {
    expect(ranges([0, 1, 2, 5, 7, 8])).toBe('0 to 2, 5, 7, 8')
  })

  it('count what would be too long to name', () => {
    expect(ranges(Array.from({ length: 12 }, (_, i) => 2 * i))).toBe('0, 2, 4, 6, 8, 10, 12, 14 and 4 more')
  })
})
