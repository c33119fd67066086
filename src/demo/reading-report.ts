import { adviceFor } from '../protocol/advice.ts'
import type { VerificationCode } from '../protocol/verification-code.ts'
import type { BadChunk, VerifiedSession } from '../verify/index.ts'
import { capital, count, formatMoment } from './format.ts'

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
 * - `lost`, `forked`, `repeated`, `unsigned`: what is wrong with the log, or with what the chain has of it
 * - `ending`: how the recording ended, where it was not ended by its recorder
 */
export interface Finding {
  readonly about: 'proved' | 'bad' | 'missing' | 'lost' | 'forked' | 'repeated' | 'unsigned' | 'ending'
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
  return hasGaps || session.heads.some(({ verdict }) => verdict === 'forked') ? 'partial' : 'whole'
}

/** All that is to be said of a recording, what is proved first. */
export const findingsOf = (reading: Reading): readonly Finding[] => [
  provedChunks(reading),
  ...badChunks(reading.bad),
  ...missingChunks(reading.session),
  ...lostEntries(reading.session),
  ...aboutHeads(reading.session),
  ...repeatedChunks(reading.session),
  ...ending(reading.session),
]

function provedChunks({ session, proved, bad }: Reading): Finding {
  const about = 'proved'
  const all = count(proved.length + bad.length, 'piece')
  if (proved.length + bad.length === 0) return { about, tone: 'wait', words: 'Nothing of it is listed.' }
  if (proved.length === 0) return { about, tone: 'alert', words: `None of ${all} is proved.` }
  const those = new Set(proved)
  const beforeMs = session.listed.reduce(
    (latest, { index, existedBeforeMs }) =>
      those.has(index) ? Math.max(latest, existedBeforeMs ?? 0) : latest,
    0,
  )
  const existed = `${proved.length === 1 ? 'It' : 'They'} existed before ${formatMoment(beforeMs)}, by the chain’s clock.`
  return bad.length === 0
    ? { about, tone: 'good', words: `All proved: ${all}. ${existed}` }
    : { about, tone: 'wait', words: `Proved: ${proved.length} of ${all}. ${existed}` }
}

function badChunks(bad: readonly BadChunk[]): Finding[] {
  const codes = [...new Set(bad.map(({ verdict }) => verdict))]
  const byCode = codes.map((code) => [code, bad.filter(({ verdict }) => verdict === code)] as const)
  return byCode.map(([code, chunks]) => ({
    about: 'bad',
    // Nobody was heard, so that nothing is said about the evidence.
    tone: code === 'gateway-unreachable' ? 'wait' : 'alert',
    words: `${capital(whichChunks(chunks.map(({ index }) => index)))} ${wrongWith(code, chunks.length)}. ${adviceFor(code)}`,
    detail: `Check: ${code}. ${chunks[0]?.error.message ?? ''}`,
    code,
    index: chunks[0]?.index ?? 0,
  }))
}

function wrongWith(code: VerificationCode, chunks: number): string {
  const one = chunks === 1
  switch (code) {
    case 'gateway-unreachable':
      return 'could not be fetched: the store gave no answer'
    case 'chunk-missing':
      return `${one ? 'is' : 'are'} not at the store`
    case 'chunk-address':
      return `${one ? 'is' : 'are'} not what the log lists: the store sent other bytes`
    case 'chunk-decrypt':
      return `${one ? 'does' : 'do'} not open`
    default:
      return one ? 'is not what the log says of it' : 'are not what the log says of them'
  }
}

function missingChunks({ missingIndexes, missingCount, lostEntries }: Reading['session']): Finding[] {
  if (missingCount === 0) return []
  const which = missingCount === missingIndexes.length ? ` (${ranges(missingIndexes)})` : ''
  const why = lostEntries.length > 0 ? 'in no part of the log that can be read' : 'since never made public'
  const words = `Missing, ${why}: ${count(missingCount, 'piece')}${which}. The recording jumps there.`
  return [{ about: 'missing', tone: 'wait', words }]
}

function lostEntries({ lostEntries: lost, lostPages }: Reading['session']): Finding[] {
  if (lost.length === 0) return []
  const entries = lost.reduce((sum, { from, to }) => sum + to - from, 0)
  const [first] = lostPages
  const advice = first ? ` ${adviceFor(first.code)}` : ''
  const words = `${count(entries, 'entry', 'entries')} of the log cannot be read, and may list more.${advice}`
  return [
    {
      about: 'lost',
      tone: 'alert',
      words,
      ...(first && { code: first.code, detail: `Check: ${first.code}. ${first.message}` }),
    },
  ]
}

function aboutHeads({ heads, forked }: Reading['session']): Finding[] {
  const findings: Finding[] = []
  const contradicting = heads.filter(({ verdict }) => verdict === 'forked')
  if (contradicting.length > 0) {
    const [first] = contradicting
    const listed =
      forked.length > 0
        ? ` What else it lists (${count(forked.length, 'entry', 'entries')}) is left out.`
        : ''
    const words = `From block ${first?.blockNumber} on the log contradicts what was proved before, which stands.${listed}`
    findings.push({
      about: 'forked',
      tone: 'alert',
      words,
      ...(first?.why && { detail: capital(first.why) }),
    })
  }
  const unsigned = heads.filter(({ verdict }) => verdict === 'bad-signature').length
  if (unsigned > 0) {
    const words = `Left out, since not signed by the recording’s key: ${count(unsigned, 'head')} on the chain.`
    findings.push({ about: 'unsigned', tone: 'wait', words })
  }
  return findings
}

function repeatedChunks({ repeated }: Reading['session']): Finding[] {
  if (repeated.length === 0) return []
  const which = ranges([...new Set(repeated.map(({ index }) => index))])
  return [
    { about: 'repeated', tone: 'wait', words: `Listed more than once: ${which}. The first of each counts.` },
  ]
}

const ENDINGS = {
  open: 'The log has no end: the recording goes on, or its end is not proved yet.',
  interrupted: 'The recording was interrupted: its recorder died, or lost something.',
  discarded: 'The recording was discarded on the device that made it.',
} as const

const ending = ({ ending: how }: Reading['session']): Finding[] =>
  how === 'complete' ? [] : [{ about: 'ending', tone: 'wait', words: ENDINGS[how] }]

const whichChunks = (indexes: readonly number[]) =>
  `${indexes.length === 1 ? 'piece' : 'pieces'} ${ranges(indexes)}`

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
  return words.join(', ') + (left > 0 ? ` and ${left} more` : '')
}

const runWords = (from: number, to: number) =>
  to - from > 1 ? `${from} to ${to}` : to > from ? `${from}, ${to}` : `${from}`
