import { TAG_BYTES } from '../protocol/messages.ts'
import { VerificationError } from './error.ts'

/** How a part of a recording is told. */
export type RangeUnit = 'bytes' | 'ms'

/** What is looked at of a chunk's entry. */
export interface Measured {
  readonly capturedAtMs: number
  readonly durationMs: number
  /** Of the ciphertext. */
  readonly sizeBytes: number
}

/** Some chunks in a row, and which of their bytes. */
export interface Part<Chunk> {
  readonly chunks: readonly Chunk[]
  /** Bytes of the first chunk that come before it. */
  readonly skip: number
  /** Bytes of the last chunk that come after it. */
  readonly rest: number
}

export const plaintextBytes = ({ sizeBytes }: Measured): number => sizeBytes - TAG_BYTES

/**
 * The chunks that a part of a recording is in, by what the log says of them; nothing before is looked at.
 *
 * In bytes: of the file that all chunks make, cut exactly. In ms since the recording began, by the device's clock: the
 * whole chunks in which any of that time is.
 *
 * @param from 0 or more; `to` is not in it, and is the end of the recording unless told
 * @throws VerificationError `bad-input`
 */
export function partOf<Chunk extends Measured>(
  chunks: readonly Chunk[],
  startedAtMs: number,
  from: number,
  to = Infinity,
  unit: RangeUnit = 'bytes',
): Part<Chunk> {
  if (!(from >= 0 && to >= from) || (unit !== 'bytes' && unit !== 'ms'))
    throw new VerificationError(
      'bad-input',
      'checking the arguments',
      `A range must be from 0 or more to no less, in bytes or ms; found ${from} to ${to} in ${unit}`,
    )
  if (unit === 'ms') {
    const within = chunks.filter(({ capturedAtMs, durationMs }) => {
      const beginsMs = capturedAtMs - startedAtMs
      return beginsMs < to && beginsMs + Math.max(1, durationMs) > from
    })
    return { chunks: within, skip: 0, rest: 0 }
  }
  const within: Chunk[] = []
  let skip = 0
  let rest = 0
  let begins = 0
  for (const chunk of chunks) {
    const ends = begins + plaintextBytes(chunk)
    if (Math.max(from, begins) < Math.min(to, ends)) {
      if (within.length === 0) skip = Math.max(0, from - begins)
      rest = Math.max(0, ends - to)
      within.push(chunk)
    }
    begins = ends
  }
  return { chunks: within, skip, rest }
}

/** A stream of what a generator gives, each asked for when it is wanted. */
export const streamOf = <Item>(items: AsyncGenerator<Item, void, undefined>): ReadableStream<Item> =>
  new ReadableStream<Item>(
    {
      async pull(controller) {
        const { done, value } = await items.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await items.return()
      },
    },
    { highWaterMark: 0 },
  )
