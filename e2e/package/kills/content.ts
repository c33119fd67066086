/**
 * A file's bytes, of which no two parts are alike. The app has these very lines too: they name nothing from outside.
 *
 * @param sizeBytes a multiple of 4
 */
export function contentOf(sizeBytes: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(sizeBytes / 4)
  let word = seed >>> 0 || 1
  for (let at = 0; at < words.length; at++) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0
    words[at] = word
  }
  return new Uint8Array(words.buffer)
}
