import { TAG_BYTES } from '../protocol/messages.ts'
import type { VerificationCode } from '../protocol/verification-code.ts'
import { VerificationError, type ListedChunk, type VerifiedSession } from '../verify/index.ts'

/** A piece of a recording, with the seconds of the video that it is, and what came of checking it. */
export interface CheckedPiece {
  readonly index: number
  /** In the video, ms from its beginning. */
  readonly fromMs: number
  readonly toMs: number
  readonly verdict: 'proved' | VerificationCode
  /** By the chain's clock, ms since the epoch; absent where no chain was asked. */
  readonly existedBeforeMs: number | undefined
}

type Readable = Pick<VerifiedSession, 'listed' | 'range' | 'chunks'>

/**
 * Reads what a recording has by now that was not read before; call it again with each newer opening of the same
 * recording. Nothing is fetched twice, but what could not be fetched.
 */
export function liveReading() {
  const seen = new Map<number, CheckedPiece>()
  return {
    pieces: (): readonly CheckedPiece[] => [...seen.values()].toSorted((a, b) => a.index - b.index),

    /** Each new piece; `bytes` where it is proved. */
    async *read({ listed, range, chunks }: Readable): AsyncGenerator<CheckedPiece & { bytes?: Uint8Array }> {
      const places = placesOf(listed)
      if (seen.size === 0) {
        // All of it, in order: the next ones are read ahead.
        const placeOf = new Map(places.map((place) => [place.index, place]))
        for await (const chunk of chunks()) {
          const place = placeOf.get(chunk.index)
          if (!place) continue
          const { fromByte: _from, toByte: _to, ...of } = place
          const piece = { ...of, verdict: chunk.verdict }
          seen.set(chunk.index, piece)
          yield chunk.verdict === 'proved' ? { ...piece, bytes: chunk.plaintext } : piece
        }
        return
      }
      for (const { fromByte, toByte, ...place } of places) {
        const known = seen.get(place.index)
        if (known !== undefined && known.verdict !== 'gateway-unreachable') continue
        const read = await readOne(range, fromByte, toByte)
        const piece = { ...place, verdict: typeof read === 'string' ? read : 'proved' } as const
        seen.set(place.index, piece)
        // What comes late has missed its place in what is played already.
        yield typeof read === 'string' || known ? piece : { ...piece, bytes: read }
      }
    },
  }
}

/** Where each piece is in the video, and in the file that all of them make. */
function placesOf(listed: readonly ListedChunk[]) {
  let fromByte = 0
  let fromMs = 0
  const places = []
  for (const { index, sizeBytes, durationMs, existedBeforeMs } of listed) {
    const [toByte, toMs] = [fromByte + sizeBytes - TAG_BYTES, fromMs + durationMs]
    places.push({ index, fromByte, toByte, fromMs, toMs, existedBeforeMs })
    fromByte = toByte
    fromMs = toMs
  }
  return places
}

async function readOne(range: Readable['range'], from: number, to: number) {
  const parts: Uint8Array[] = []
  try {
    for await (const part of range(from, to)) parts.push(part)
  } catch (error) {
    if (error instanceof VerificationError) return error.code
    throw error
  }
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer())
}

/** The piece that is on the screen at this time of the video, ms; undefined where none is. */
export const pieceAt = (pieces: readonly CheckedPiece[], ms: number): CheckedPiece | undefined =>
  pieces.find(({ fromMs, toMs }) => fromMs <= ms && ms < toMs)

/** Length of the pieces of a recording by its log, ms. */
export const lengthOf = (listed: readonly ListedChunk[]): number =>
  listed.reduce((sum, { durationMs }) => sum + durationMs, 0)
