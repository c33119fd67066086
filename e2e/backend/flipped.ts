import type { Bytes } from './exchange.ts'

/** The same stream with one byte changed: the first, or the one after `atByte` others; a shorter one as it is. */
export async function* flipped(content: Bytes, atByte = 0): Bytes {
  let passed = 0
  for await (const piece of content) {
    const at = atByte - passed
    passed += piece.byteLength
    if (at < 0 || at >= piece.byteLength) {
      yield piece
      continue
    }
    const copy = Uint8Array.from(piece)
    copy[at] = (copy[at] ?? 0) ^ 0xff
    yield copy
  }
}
