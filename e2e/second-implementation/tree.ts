import { sha256, u8 } from './bytes.ts'

// RFC 9162 §2.1, word by word: slow, and hard to get wrong.

/** The largest power of two below `size`. */
function split(size: number): number {
  let k = 1
  while (2 * k < size) k *= 2
  return k
}

export const leafHash = (entry: Uint8Array): Buffer => sha256(u8(0), entry)
const nodeHash = (left: Uint8Array, right: Uint8Array) => sha256(u8(1), left, right)

/** The Merkle Tree Hash of §2.1.1, of leaf hashes. */
export function root(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256()
  if (leaves.length === 1) return leaves[0]!
  const k = split(leaves.length)
  return nodeHash(root(leaves.slice(0, k)), root(leaves.slice(k)))
}

/** The roots of the complete subtrees, largest first. */
export function frontier(leaves: readonly Buffer[]): Buffer[] {
  const roots: Buffer[] = []
  let from = 0
  for (let bit = 2 ** 31; bit >= 1; bit /= 2) {
    if (Math.floor(leaves.length / bit) % 2 === 0) continue
    roots.push(root(leaves.slice(from, from + bit)))
    from += bit
  }
  return roots
}

/** The root that a frontier stands for: its parts joined from the right. */
export const rootOfFrontier = (roots: readonly Buffer[]): Buffer =>
  roots.reduceRight((right, left) => nodeHash(left, right))

/** PATH(m, D_n) of §2.1.3.1. */
export function inclusion(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return []
  const k = split(leaves.length)
  return m < k
    ? [...inclusion(m, leaves.slice(0, k)), root(leaves.slice(k))]
    : [...inclusion(m - k, leaves.slice(k)), root(leaves.slice(0, k))]
}

/** PROOF(m, D_n) of §2.1.4.1. */
export function consistency(m: number, leaves: readonly Buffer[]): Buffer[] {
  return subproof(m, leaves, true)
}

function subproof(m: number, leaves: readonly Buffer[], whole: boolean): Buffer[] {
  if (m === leaves.length) return whole ? [] : [root(leaves)]
  const k = split(leaves.length)
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), whole), root(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), root(leaves.slice(0, k))]
}
