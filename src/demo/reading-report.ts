import type { VerificationCode } from '../protocol/verification-code.ts'
import type { BadChunk, VerifiedSession } from '../verify/index.ts'
import { capital, formatMoment } from './format.ts'
import { noteFindings } from './note-findings.ts'
import { texts } from './texts.ts'

/** What was read of a recording: its log, and the verdict on each chunk that it lists. */
export interface Reading {
  readonly session: Omit<
    VerifiedSession,
    'chunks' | 'forkedChunks' | 'bytes' | 'range' | 'stream' | 'sizeBytes' | 'vanished' | 'nodes'
  >
  /** Indexes of the chunks that hold every check. */
  readonly proved: readonly number[]
  readonly bad: readonly BadChunk[]
}

/**
 * One thing that a reader is told of a recording:
 * - `proved`: how much holds every check
 * - `bad`: chunks that do not, by the check that failed
 * - `missing`: chunks that were cut, and that the log does not list
 * - `lost`, `forked`, `more`, `repeated`, `unsigned`: what is wrong with the log, or with what the chain has of it
 * - `note`: what it says of itself
 * - `ending`: how the recording ended, where it was not ended by its recorder
 */
export interface Finding {
  readonly about:
    'proved' | 'bad' | 'missing' | 'lost' | 'forked' | 'more' | 'repeated' | 'unsigned' | 'note' | 'ending'
  readonly tone: 'good' | 'wait' | 'alert'
  readonly words: string
  /** For who looks into it. */
  readonly detail?: string
  /** Of `bad` and `lost`: the check that failed. */
  readonly code?: VerificationCode
  /** Of `bad`: the first of the chunks. */
  readonly index?: number
}

/** How much of a recording is proved: all that was recorded, some of it, or nothing. */
export function extentOf({ session, proved, bad }: Reading): 'whole' | 'partial' | 'nothing' {
  if (proved.length === 0) return 'nothing'
  const hasGaps = bad.length > 0 || session.missingCount > 0 || session.lostEntries.length > 0
  const hasMore = session.heads.some(({ verdict }) => verdict === 'forked' || verdict === 'not-followed')
  return hasGaps || hasMore ? 'partial' : 'whole'
}

/** All that is to be said of a recording, what is proved first. */
export const findingsOf = (reading: Reading): readonly Finding[] => [
  provedChunks(reading),
  ...badChunks(reading.bad),
  ...missingChunks(reading.session),
  ...lostEntries(reading.session),
  ...aboutHeads(reading.session),
  ...repeatedChunks(reading.session),
  ...noteFindings(reading.session),
  ...ending(reading.session),
]

function provedChunks({ session, proved, bad }: Reading): Finding {
  const about = 'proved'
  const all = texts.report.pieces(proved.length + bad.length)
  if (proved.length + bad.length === 0) return { about, tone: 'wait', words: texts.report.nothing }
  if (proved.length === 0) return { about, tone: 'alert', words: texts.report.none(all) }
  const those = new Set(proved)
  const beforeMs = session.listed.reduce(
    (latest, { index, existedBeforeMs }) =>
      those.has(index) ? Math.max(latest, existedBeforeMs ?? 0) : latest,
    0,
  )
  const existed = texts.report.existed(proved.length, formatMoment(beforeMs))
  return bad.length === 0
    ? { about, tone: 'good', words: texts.report.all(all, existed) }
    : { about, tone: 'wait', words: texts.report.some(proved.length, all, existed) }
}

function badChunks(bad: readonly BadChunk[]): Finding[] {
  const codes = [...new Set(bad.map(({ verdict }) => verdict))]
  const byCode = codes.map((code) => [code, bad.filter(({ verdict }) => verdict === code)] as const)
  return byCode.map(([code, chunks]) => ({
    about: 'bad',
    // Nobody was heard, so that nothing is said about the evidence.
    tone: code === 'gateway-unreachable' ? 'wait' : 'alert',
    words: `${capital(whichChunks(chunks.map(({ index }) => index)))} ${wrongWith(code, chunks.length)}. ${texts.check.codes[code][1]}`,
    detail: texts.report.check(code, chunks[0]?.error.message ?? ''),
    code,
    index: chunks[0]?.index ?? 0,
  }))
}

function wrongWith(code: VerificationCode, chunks: number): string {
  const { wrong } = texts.report
  switch (code) {
    case 'gateway-unreachable':
    case 'chunk-missing':
    case 'chunk-address':
    case 'chunk-decrypt':
      return wrong[code](chunks)
    default:
      return wrong.other(chunks)
  }
}

function missingChunks({ missingIndexes, missingCount, lostEntries }: Reading['session']): Finding[] {
  if (missingCount === 0) return []
  const which = missingCount === missingIndexes.length ? ` (${ranges(missingIndexes)})` : ''
  const { unreadable, unpublished, missing, pieces } = texts.report
  const why = lostEntries.length > 0 ? unreadable : unpublished
  const words = missing(why, `${pieces(missingCount)}${which}`)
  return [{ about: 'missing', tone: 'wait', words }]
}

function lostEntries({ lostEntries: lost, lostPages }: Reading['session']): Finding[] {
  if (lost.length === 0) return []
  const entries = lost.reduce((sum, { from, to }) => sum + to - from, 0)
  const [first] = lostPages
  const advice = first ? ` ${texts.check.codes[first.code][1]}` : ''
  const words = `${texts.report.lost(entries)}${advice}`
  return [
    {
      about: 'lost',
      tone: 'alert',
      words,
      ...(first && { code: first.code, detail: texts.report.check(first.code, first.message) }),
    },
  ]
}

function aboutHeads({ heads, forked }: Reading['session']): Finding[] {
  const findings: Finding[] = []
  const contradicting = heads.filter(({ verdict }) => verdict === 'forked')
  if (contradicting.length > 0) {
    const [first] = contradicting
    const words = texts.report.forked(first?.blockNumber ?? 0, forked.length)
    findings.push({
      about: 'forked',
      tone: 'alert',
      words,
      ...(first?.why && { detail: capital(first.why) }),
    })
  }
  const more = heads.find(({ verdict }) => verdict === 'not-followed')
  if (more) {
    const words = texts.report.goesOn(more.blockNumber)
    findings.push({ about: 'more', tone: 'wait', words, ...(more.why && { detail: capital(more.why) }) })
  }
  const unsigned = heads.filter(({ verdict }) => verdict === 'bad-signature').length
  if (unsigned > 0) {
    findings.push({ about: 'unsigned', tone: 'wait', words: texts.report.unsigned(unsigned) })
  }
  return findings
}

function repeatedChunks({ repeated }: Reading['session']): Finding[] {
  if (repeated.length === 0) return []
  const which = ranges([...new Set(repeated.map(({ index }) => index))])
  return [{ about: 'repeated', tone: 'wait', words: texts.report.repeated(which) }]
}

const ending = ({ ending: how }: Reading['session']): Finding[] =>
  how === 'complete' ? [] : [{ about: 'ending', tone: 'wait', words: texts.report.endings[how] }]

const whichChunks = (indexes: readonly number[]) => texts.report.piecesNamed(indexes.length, ranges(indexes))

/** So many runs are named; the others are counted. */
const MAX_RUNS = 8

/** Ascending numbers, longer runs of them drawn together: `0 to 4, 7, 8`. */
export function ranges(numbers: readonly number[]): string {
  const runs: { from: number; to: number }[] = []
  for (const number of numbers) {
    const last = runs.at(-1)
    if (last && last.to + 1 === number) last.to = number
    else runs.push({ from: number, to: number })
  }
  const named = runs.slice(0, MAX_RUNS)
  const words = named.map(({ from, to }) => runWords(from, to))
  const left = numbers.length - named.reduce((sum, { from, to }) => sum + to - from + 1, 0)
  return words.join(', ') + (left > 0 ? texts.report.more(left) : '')
}

const runWords = (from: number, to: number) =>
  to - from > 1 ? texts.report.run(from, to) : to > from ? `${from}, ${to}` : `${from}`
