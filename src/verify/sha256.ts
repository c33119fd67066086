// FIPS 180-4 §4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes.
// prettier-ignore
const K = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
)

/** §5.3.3 */
// prettier-ignore
const START = Int32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
)

const BLOCK_BYTES = 64
const LENGTH_BYTES = 8

// One of each for all: to make them anew took longer than the hashing.
const block = new Uint8Array(BLOCK_BYTES)
const view = new DataView(block.buffer)
const state = new Int32Array(8)
const words = new Int32Array(64)

const turned = (word: number, by: number) => (word >>> by) | (word << (32 - by))

/**
 * SHA-256 of parts one after the other (FIPS 180-4), at once: 32 bytes.
 *
 * A log has ten small nodes for each of its entries, and to ask the platform for one takes ten times as long as to
 * compute it. What is large is for `digest.ts`.
 */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  state.set(START)
  let length = 0
  let filled = 0
  for (const part of parts) {
    length += part.length
    for (let at = 0; at < part.length; at++) {
      block[filled++] = part[at]!
      if (filled === BLOCK_BYTES) {
        mix()
        filled = 0
      }
    }
  }
  // A bit, zeros, and the length in 64 bits.
  block.fill(0, filled)
  block[filled] = 0x80
  if (filled >= BLOCK_BYTES - LENGTH_BYTES) {
    mix()
    block.fill(0)
  }
  view.setUint32(56, Math.floor(length / 2 ** 29))
  view.setUint32(60, length << 3)
  mix()
  const digest = new Uint8Array(32)
  for (let at = 0; at < 32; at++) digest[at] = state[at >> 2]! >>> (24 - 8 * (at & 3))
  return digest
}

/** §6.2.2 */
function mix(): void {
  for (let at = 0; at < 16; at++) words[at] = view.getInt32(4 * at)
  for (let at = 16; at < 64; at++) {
    const near = words[at - 2]!
    const far = words[at - 15]!
    const small0 = turned(far, 7) ^ turned(far, 18) ^ (far >>> 3)
    const small1 = turned(near, 17) ^ turned(near, 19) ^ (near >>> 10)
    words[at] = words[at - 16]! + small0 + words[at - 7]! + small1
  }
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  let e = state[4]!
  let f = state[5]!
  let g = state[6]!
  let h = state[7]!
  for (let at = 0; at < 64; at++) {
    const large1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)
    const t1 = (h + large1 + ((e & f) ^ (~e & g)) + K[at]! + words[at]!) | 0
    const large0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)
    const t2 = (large0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  state[0]! += a
  state[1]! += b
  state[2]! += c
  state[3]! += d
  state[4]! += e
  state[5]! += f
  state[6]! += g
  state[7]! += h
}
