import type { VerificationCode } from '../protocol/verification-code.ts'
import type { JudgedChunk, ListedChunk, OpeningStep, VerifiedSession } from '../verify/index.ts'

type Verdict = 'proved' | VerificationCode

/** A piece of a recording, with the seconds of the video that it is, and what came of checking it. */
export interface CheckedPiece {
  readonly index: number
  /** In the video, ms from its beginning. */
  readonly fromMs: number
  readonly toMs: number
  readonly verdict: Verdict
  /** By the chain's clock, ms since the epoch; absent where no chain was asked. */
  readonly existedBeforeMs: number | undefined
}

/** What is read of an opened recording. */
type Readable = Pick<VerifiedSession, 'listed' | 'chunks'>
type Step<Session> = Pick<OpeningStep, 'isLast'> & { readonly session: Session }

/**
 * Reads what a recording has by now that was not read before; call it again with each newer opening of the same
 * recording. Nothing is fetched twice, but what could not be fetched. The newest listing counts: what it has no more is
 * no piece any more.
 */
export function liveReading<Session extends Readable>() {
  const verdicts = new Map<number, Verdict>()
  let listed: readonly ListedChunk[] = []
  let pieces: readonly CheckedPiece[] | undefined

  const isNew = ({ index }: ListedChunk) =>
    (verdicts.get(index) ?? 'gateway-unreachable') === 'gateway-unreachable'

  return {
    /** By ascending index. */
    pieces: (): readonly CheckedPiece[] => (pieces ??= placed(listed, verdicts)),

    /**
     * Each new piece, by the steps in which a recording opens: what a newer step has beside it is read by that one.
     *
     * @param onStep is told before its pieces come
     */
    async *read<Of extends Step<Session>>(
      steps: AsyncGenerator<Of, void, undefined>,
      onStep: (step: Of) => void,
    ): AsyncGenerator<JudgedChunk, void, undefined> {
      try {
        let coming = steps.next()
        for (;;) {
          const { done, value: step } = await coming
          if (done) return
          let isOld = false
          const { session, isLast } = step
          coming = steps.next()
          // Of a recording that is opened again, since it could not be read to its end.
          if (!isLast && session.listed.length < listed.length) continue
          listed = session.listed
          pieces = undefined
          onStep(step)
          const old = () => (isOld = !isLast)
          coming.then(old, old)
          for await (const chunk of session.chunks(isNew)) {
            verdicts.set(chunk.index, chunk.verdict)
            pieces = undefined
            yield chunk
            if (isOld) break
          }
        }
      } finally {
        void steps.return()
      }
    },
  }
}

/** Those that were looked at, where each is in the video. */
function placed(listed: readonly ListedChunk[], verdicts: ReadonlyMap<number, Verdict>): CheckedPiece[] {
  let toMs = 0
  return listed.flatMap(({ index, durationMs, existedBeforeMs }) => {
    const fromMs = toMs
    toMs += durationMs
    const verdict = verdicts.get(index)
    return verdict ? [{ index, fromMs, toMs, verdict, existedBeforeMs }] : []
  })
}

/** The piece that is on the screen at this time of the video, ms; undefined where none is. */
export const pieceAt = (pieces: readonly CheckedPiece[], ms: number): CheckedPiece | undefined =>
  pieces.find(({ fromMs, toMs }) => fromMs <= ms && ms < toMs)

/** Length of the pieces of a recording by its log, ms. */
export const lengthOf = (listed: readonly ListedChunk[]): number =>
  listed.reduce((sum, { durationMs }) => sum + durationMs, 0)

/** Parts of the file between which nothing is missing, of pieces by their index. */
export function runsOf(parts: ReadonlyMap<number, Blob>): Blob[] {
  const runs: Blob[][] = []
  let last = -2
  for (const [index, part] of [...parts].toSorted(([a], [b]) => a - b)) {
    if (index !== last + 1) runs.push([])
    runs.at(-1)?.push(part)
    last = index
  }
  return runs.map((run) => new Blob(run))
}
