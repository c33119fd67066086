import type { VerifiedSession } from '../verify/index.ts'

/** What came of reading the chunks. */
export interface Tally {
  readonly proved: number
  readonly provedBytes: number
  /** All of them existed before this time; 0 where no chain says so. */
  readonly beforeMs: number
  /** Indexes by verdict. */
  readonly bad: Readonly<Record<string, readonly number[]>>
}

/** A head that comes later than this after what it lists is told of. */
const LATE_MS = 10 * 60_000

const at = (ms: number) => momentOf(ms).replace('.000', '')
const count = (number: number, one: string, more = `${one}s`) => `${number} ${number === 1 ? one : more}`
/** @param all how many there are, where that is more than are named */
const some = (numbers: readonly number[], all = numbers.length) =>
  all > 10 ? `${numbers.slice(0, 10).join(', ')}, … (${all})` : numbers.join(', ')

/** A time as it is written; one that the device made up may lie beyond what a `Date` knows. */
export const momentOf = (ms: number): string =>
  ms <= LATEST_MS ? new Date(ms).toISOString() : `${ms} ms after 1970`
const LATEST_MS = 8.64e15

/** What others wrote is shown in one line, and moves no cursor: it could say what nobody has checked. */
export const inLine = (text: string): string => text.replace(/[\p{C}\u2028\u2029]/gu, '\ufffd')

/** What a person is told of a recording that was read, a line each. */
export function summaryOf(session: VerifiedSession, tally: Tally): string[] {
  const { proved, provedBytes, beforeMs, bad } = tally
  const codes = Object.entries(bad)
  const badCount = codes.reduce((sum, [, indexes]) => sum + indexes.length, 0)
  const existed = proved > 0 && beforeMs > 0 ? `; they existed before ${at(beforeMs)}` : ''
  const lines = [
    `Recording ${session.name}`,
    `Began ${at(session.startedAtMs)} by the device's clock, ${session.mimeType}, ${ENDINGS[session.ending]}`,
    `Proved: ${proved} of ${count(proved + badCount, 'chunk')}, ${provedBytes} bytes${existed}`,
    ...codes.map(([code, indexes]) => `Not proved, ${code}: chunk ${some(indexes)}`),
    ...aboutLog(session),
    ...aboutHeads(session),
  ]
  return lines.map(inLine)
}

const ENDINGS: Readonly<Record<VerifiedSession['ending'], string>> = {
  complete: 'ended by its recorder',
  interrupted: 'interrupted: its recorder died, or lost chunks',
  discarded: 'discarded on the device that made it',
  open: 'without an end: it goes on, or its end is not anchored yet',
}

function aboutLog({
  missingCount,
  missingIndexes,
  lostEntries,
  lostPages,
  repeated,
}: VerifiedSession): string[] {
  const lost = lostEntries.reduce((sum, { from, to }) => sum + to - from, 0)
  const why = lostPages[0] ? `: ${lostPages[0].message}` : ''
  return [
    ...(missingCount > 0 ? [`Missing: chunk ${some(missingIndexes, missingCount)}`] : []),
    ...(lost > 0 ? [`Lost: ${count(lost, 'entry', 'entries')} of the log${why}`] : []),
    ...(repeated.length > 0 ? [`Listed again: chunk ${some(repeated.map(({ index }) => index))}`] : []),
  ]
}

/** Without a chain a place has it, and no block. */
const whichOf = ({ blockNumber, size }: VerifiedSession['heads'][number]) =>
  blockNumber === undefined
    ? `heads such as one of ${count(size, 'entry', 'entries')}`
    : `the heads from block ${blockNumber} on`

function aboutHeads({ heads, vanished, forked, nodes }: VerifiedSession): string[] {
  const first = heads.find(({ verdict }) => verdict === 'forked')
  const more = heads.find(({ verdict }) => verdict === 'not-followed')
  const unsigned = heads.filter(({ verdict }) => verdict === 'bad-signature').length
  const late = heads.filter(({ lateMs = 0 }) => lateMs > LATE_MS)
  const disputed = heads.filter((head) => head.disputed)
  return [
    heads[0]?.verdict === 'unwitnessed'
      ? "Witnessed by nobody: when it was made is the device's word, and that there is no other or newer log"
      : `Heads: ${heads.length} in the blocks ${heads[0]?.blockNumber} to ${heads.at(-1)?.blockNumber}`,
    ...(first
      ? [
          `Forked: ${whichOf(first)} contradict the others${first.why ? `: ${first.why}` : ''}; ${count(forked.length, 'entry', 'entries')} of theirs left out`,
        ]
      : []),
    ...(more ? [`Not followed: ${whichOf(more)}${more.why ? `: ${more.why}` : ''}`] : []),
    ...(unsigned > 0 ? [`Not signed by its key, and left out: ${count(unsigned, 'head')}`] : []),
    ...late.map(
      ({ blockNumber, timeMs, lateMs }) =>
        `Late: the head of block ${blockNumber}, ${at(timeMs!)}, came ${Math.round(lateMs! / 60_000)} min after what it lists, by the device's clock`,
    ),
    ...disputed.map(
      ({ blockNumber, disputed: others }) =>
        `Disputed: the head of block ${blockNumber} is in block ${others!.map((one) => `${one.blockNumber} by ${one.by}`).join(', ')}; the later time counts`,
    ),
    ...vanished.map(
      ({ by, blockNumber, size }) =>
        `Vanished: a head of ${count(size, 'entry', 'entries')} that ${by} has in block ${blockNumber}`,
    ),
    ...nodes
      .filter((node) => node.contradicts)
      .map(({ host }) => `Contradicted: the node at ${host} tells of other heads instead of these`),
    ...nodes
      .filter((node) => node.heads === undefined)
      .map(
        ({ host, error }) =>
          `Not read: the node at ${host}${error ? `: ${error.message}` : ', which took too long'}`,
      ),
  ]
}
