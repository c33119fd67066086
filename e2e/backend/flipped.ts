import type { Bytes } from './exchange.ts'

/** The same stream with its first byte changed. */
export async function* flipped(content: Bytes): Bytes {
  let first = true
  for await (const piece of content) {
    if (!first || piece.byteLength === 0) {
      yield piece
      continue
    }
    first = false
    const copy = Uint8Array.from(piece)
    copy[0] = (copy[0] ?? 0) ^ 0xff
    yield copy
  }
}
