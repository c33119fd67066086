import { HoldfastError } from '../protocol/errors.ts'
import type { Sha256Hex } from '../protocol/ids.ts'
import { sha256Hex } from './digest.ts'
import { nodeHash } from './tree.ts'

/** The largest power of two below a size from 2: where RFC 9162 splits a tree. */
function splitOf(size: number): number {
  let split = 1
  while (2 * split < size) split *= 2
  return split
}

/** The Merkle Tree Hash over leaf hashes (RFC 9162 §2.1.1). */
export async function treeRoot(leaves: readonly Sha256Hex[]): Promise<Sha256Hex> {
  const [leaf] = leaves
  if (leaf === undefined) return sha256Hex(new Uint8Array())
  if (leaves.length === 1) return leaf
  const split = splitOf(leaves.length)
  return nodeHash(await treeRoot(leaves.slice(0, split)), await treeRoot(leaves.slice(split)))
}

/**
 * What leads from one leaf to the root, from the leaf up (§2.1.3.1).
 *
 * @param position of the leaf, from 0
 * @throws `bad-input` where no leaf has that position
 */
export async function inclusionProof(leaves: readonly Sha256Hex[], position: number): Promise<Sha256Hex[]> {
  if (leaves[position] === undefined)
    throw new HoldfastError('bad-input', `There is no leaf ${position} among ${leaves.length}`)
  return pathOf(leaves, position)
}

async function pathOf(leaves: readonly Sha256Hex[], position: number): Promise<Sha256Hex[]> {
  if (leaves.length === 1) return []
  const split = splitOf(leaves.length)
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)]
  return position < split
    ? [...(await pathOf(left, position)), await treeRoot(right)]
    : [...(await pathOf(right, position - split)), await treeRoot(left)]
}

/** Whether a proof leads from the leaf at a position to the root of a tree of that size (§2.1.3.2). */
export async function verifyInclusion(claim: {
  readonly leaf: Sha256Hex
  readonly position: number
  readonly size: number
  readonly root: Sha256Hex
  readonly proof: readonly Sha256Hex[]
}): Promise<boolean> {
  if (!(claim.position >= 0 && claim.position < claim.size)) return false
  let at = claim.position
  let last = claim.size - 1
  let node = claim.leaf
  for (const hash of claim.proof) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      node = await nodeHash(hash, node)
      // A node without a sibling rises until it has one.
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)]
    } else {
      node = await nodeHash(node, hash)
    }
    ;[at, last] = [half(at), half(last)]
  }
  return last === 0 && node === claim.root
}

/**
 * What shows that the tree over these leaves begins with the tree over the first `size` of them (§2.1.4.1).
 *
 * @throws `bad-input` unless `size` is from 1 to the number of leaves
 */
export async function consistencyProof(leaves: readonly Sha256Hex[], size: number): Promise<Sha256Hex[]> {
  if (!(Number.isInteger(size) && size >= 1 && size <= leaves.length))
    throw new HoldfastError('bad-input', `${leaves.length} leaves do not begin with ${size}`)
  return subProof(leaves, size, true)
}

/** SUBPROOF of §2.1.4.1; `known`: the verifier has the root of the first `size` leaves. */
async function subProof(leaves: readonly Sha256Hex[], size: number, known: boolean): Promise<Sha256Hex[]> {
  if (size === leaves.length) return known ? [] : [await treeRoot(leaves)]
  const split = splitOf(leaves.length)
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)]
  return size <= split
    ? [...(await subProof(left, size, known)), await treeRoot(right)]
    : [...(await subProof(right, size - split, false)), await treeRoot(left)]
}

/** Whether a proof shows that the tree of the second size begins with that of the first (§2.1.4.2). */
export async function verifyConsistency(claim: {
  /** From 1. */
  readonly firstSize: number
  readonly firstRoot: Sha256Hex
  readonly secondSize: number
  readonly secondRoot: Sha256Hex
  readonly proof: readonly Sha256Hex[]
}): Promise<boolean> {
  const { firstSize, firstRoot, secondSize, secondRoot, proof } = claim
  if (!(firstSize >= 1 && firstSize <= secondSize)) return false
  if (firstSize === secondSize) return proof.length === 0 && firstRoot === secondRoot
  // A complete subtree is its own first step, which the proof leaves out.
  const isComplete = splitOf(2 * firstSize) === firstSize
  const [start, ...steps] = isComplete ? [firstRoot, ...proof] : proof
  if (start === undefined) return false
  let at = firstSize - 1
  let last = secondSize - 1
  while (at % 2 === 1) [at, last] = [half(at), half(last)]
  let first = start
  let second = start
  for (const hash of steps) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      first = await nodeHash(hash, first)
      second = await nodeHash(hash, second)
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)]
    } else {
      second = await nodeHash(second, hash)
    }
    ;[at, last] = [half(at), half(last)]
  }
  return last === 0 && first === firstRoot && second === secondRoot
}

const half = (value: number) => Math.floor(value / 2)
