import { isHoldfastError, openSession, type JudgedChunk, type VerifiedSession } from '../verify/index.ts'
import { outputFile } from './output-file.ts'
import { HELP, readOptions, type ReadOptions } from './read-options.ts'
import { inLine, momentOf, summaryOf, type Tally } from './summary.ts'

/** How the command ends. */
export const EXIT = { whole: 0, partial: 1, broken: 2, unseen: 3 } as const
type Exit = (typeof EXIT)[keyof typeof EXIT]

/** Where a command speaks. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  /** A line on standard output. */
  out(line: string): void
  /** A line on standard error. */
  tell(line: string): void
  /** How far it is, instead of what was said before. */
  progress(words: string): void
  readonly signal: AbortSignal
}

/** `holdfast read`: everything that goes wrong ends in a status, none in a throw. */
export async function read(args: readonly string[], io: Io): Promise<Exit> {
  try {
    const options = await readOptions(args, io.env)
    if (options) return await readSession(options, io)
    io.out(HELP)
    return EXIT.whole
  } catch (error) {
    io.progress('')
    // A link may say anything, and so may whom it leads to.
    io.tell(inLine(`holdfast: ${error instanceof Error ? error.message : String(error)}`))
    const isBroken = isHoldfastError(error) && error.class === 'refused' && error.code !== 'bad-input'
    return isBroken ? EXIT.broken : EXIT.unseen
  }
}

async function readSession({ open, out, force, verdicts }: ReadOptions, io: Io): Promise<Exit> {
  // First, so that nothing is read for nothing.
  const file = out === undefined ? undefined : await outputFile(out, force)
  try {
    const session = await openSession({
      ...open,
      signal: io.signal,
      onProgress: ({ step, chunksVerified, chunksTotal }) =>
        io.progress(chunksTotal > 0 ? `${chunksVerified} of ${chunksTotal} chunks` : step),
    })
    const tally = await readChunks(session, io, verdicts, (bytes) => file?.write(bytes))
    io.progress('')
    const exit = exitOf(session, tally)
    if (exit === EXIT.broken || exit === EXIT.unseen) await file?.drop()
    else await file?.keep()
    for (const line of summaryOf(session, tally)) io.tell(line)
    return exit
  } catch (error) {
    await file?.drop()
    throw error
  }
}

async function readChunks(
  session: VerifiedSession,
  io: Io,
  verdicts: boolean,
  write: (bytes: Uint8Array) => Promise<void> | undefined,
): Promise<Tally> {
  const bad: Record<string, number[]> = {}
  let provedBytes = 0
  let proved = 0
  let beforeMs = 0
  for await (const chunk of session.chunks()) {
    if (verdicts) io.out(verdictLine(chunk))
    if (chunk.verdict !== 'proved') {
      ;(bad[chunk.verdict] ??= []).push(chunk.index)
      continue
    }
    await write(chunk.plaintext)
    proved += 1
    provedBytes += chunk.plaintext.length
    beforeMs = Math.max(beforeMs, chunk.existedBeforeMs ?? 0)
  }
  return { proved, provedBytes, beforeMs, bad }
}

function verdictLine(chunk: JudgedChunk): string {
  const bytes = chunk.verdict === 'proved' ? chunk.plaintext.length : '-'
  const [captured, before] = [chunk.capturedAtMs, chunk.existedBeforeMs].map((ms) =>
    ms === undefined ? '-' : momentOf(ms),
  )
  return [chunk.index, chunk.verdict, bytes, captured, before].join('\t')
}

/** Whole is what the recorder ended, with each chunk that it had cut proved, and a log that nobody has contradicted. */
export function exitOf(session: VerifiedSession, { proved, bad }: Tally): Exit {
  const { ending, missingCount, lostEntries, lostPages, heads } = session
  const codes = [...Object.keys(bad), ...lostPages.map(({ code }) => code)]
  const hasGaps = codes.length > 0 || missingCount > 0 || lostEntries.length > 0
  if (proved === 0 && hasGaps) {
    const isUnheard = codes.length > 0 && codes.every((code) => code === 'gateway-unreachable')
    return isUnheard ? EXIT.unseen : EXIT.broken
  }
  const hasMore = heads.some(({ verdict }) => verdict === 'forked' || verdict === 'not-followed')
  return hasGaps || hasMore || ending !== 'complete' ? EXIT.partial : EXIT.whole
}
