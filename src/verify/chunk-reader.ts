import type { ChunkEntry } from '../evidence/entry.ts'
import { endable } from '../protocol/endable.ts'
import type { VerificationCode } from '../protocol/verification-code.ts'
import { ahead } from './ahead.ts'
import { readChunk, type ChunkSource } from './chunk.ts'
import { VerificationError, type VerificationStep } from './error.ts'
import type { LogEntry } from './log.ts'
import type { Part } from './range.ts'

interface Judged {
  readonly index: number
  readonly capturedAtMs: number
  readonly durationMs: number
  /** It existed before this time, ms since the epoch by the chain's clock; undefined where no chain has witnessed it. */
  readonly existedBeforeMs: number | undefined
}

/** A chunk with its bytes, proved to be the one that was listed. */
export interface ProvedChunk extends Judged {
  readonly verdict: 'proved'
  readonly plaintext: Uint8Array<ArrayBuffer>
}

/** A chunk that could not be proved, and why; `gateway-unreachable` says nothing about it. */
export interface BadChunk extends Judged {
  readonly verdict: VerificationCode
  readonly error: VerificationError
}

export type JudgedChunk = ProvedChunk | BadChunk

/** A chunk's entry, and where it stands. */
export type PlacedChunk = LogEntry & { readonly entry: ChunkEntry }
export const isChunk = (placed: LogEntry): placed is PlacedChunk => placed.entry.kind === 'chunk'

/** What is read ahead of who reads: in memory several times as much while it is checked and opened. */
const AHEAD = { items: 16, bytes: 24 * 1024 * 1024, bytesOf: ({ entry }: PlacedChunk) => entry.sizeBytes }

/**
 * Reads chunks of a session, in the order in which they are given, some ahead.
 *
 * @param at is told how many were judged
 */
export function chunkReader(
  source: ChunkSource,
  at: (step: VerificationStep, chunksVerified: number) => void,
) {
  async function* judgedUntil(ending: AbortSignal | undefined, chunks: readonly PlacedChunk[]) {
    let verified = 0
    const work = (chunk: PlacedChunk, over: AbortSignal) => {
      at('fetching a chunk', verified)
      return judge(source, chunk, over)
    }
    for await (const result of ahead(chunks, AHEAD, work, ending)) {
      verified += 1
      at('opening a chunk', verified)
      yield result
    }
  }

  /** @throws VerificationError of the first that is not proved, unless `partial` leaves such out */
  async function* provedUntil(
    ending: AbortSignal | undefined,
    chunks: readonly PlacedChunk[],
    partial: boolean,
  ) {
    for await (const chunk of judgedUntil(ending, chunks)) {
      if ('plaintext' in chunk) yield chunk
      else if (!partial) throw chunk.error
    }
  }

  async function* piecesUntil(
    ending: AbortSignal,
    part: Part<{ readonly chunk: PlacedChunk }>,
    partial: boolean,
  ) {
    const chunks = part.chunks.map(({ chunk }) => chunk)
    const [first, last] = [chunks[0], chunks.at(-1)]
    for await (const { index, plaintext } of provedUntil(ending, chunks, partial)) {
      const begin = index === first?.entry.index ? part.skip : 0
      const end = index === last?.entry.index ? plaintext.length - part.rest : plaintext.length
      yield plaintext.subarray(begin, end)
    }
  }

  return {
    judged: (chunks: readonly PlacedChunk[]) => endable((ending) => judgedUntil(ending, chunks)),
    /** @param partOf is called when the first piece is wanted; what it throws is thrown then */
    pieces: (partOf: () => Part<{ readonly chunk: PlacedChunk }>, partial = false) =>
      endable(async function* (ending) {
        yield* piecesUntil(ending, partOf(), partial)
      }),
    async bytes(chunks: readonly PlacedChunk[], partial = false): Promise<Uint8Array<ArrayBuffer>> {
      const parts: Uint8Array<ArrayBuffer>[] = []
      for await (const { plaintext } of provedUntil(undefined, chunks, partial)) parts.push(plaintext)
      // There may be more of them than a call takes arguments.
      return new Uint8Array(await new Blob(parts).arrayBuffer())
    },
  }
}

async function judge(
  source: ChunkSource,
  { entry, existedBeforeMs }: PlacedChunk,
  signal: AbortSignal,
): Promise<JudgedChunk> {
  const { index, capturedAtMs, durationMs } = entry
  const chunk = { index, capturedAtMs, durationMs, existedBeforeMs }
  try {
    return { ...chunk, verdict: 'proved', plaintext: await readChunk(source, entry, signal) }
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    return { ...chunk, verdict: error.code, error }
  }
}
