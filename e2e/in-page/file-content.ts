/** A file's bytes, of which no two parts are alike. */
export function contentOf(sizeBytes: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    { length: sizeBytes },
    (_none, at) => (at + (at >> 8) * 7 + (at >> 16) * seed + seed) & 0xff,
  )
}
