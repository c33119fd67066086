import { HoldfastError } from '../protocol/errors.ts'
import type { Sha256Hex } from '../protocol/ids.ts'
import { concat, fromHex, uint32be, uint64be } from './bytes.ts'
import { sha256Hex } from './digest.ts'

/** What a leaf binds of a chunk. */
export interface LeafInput {
  /** In [0, 2^32). */
  readonly index: number
  readonly plaintextHash: Sha256Hex
  readonly encryptedHash: Sha256Hex
  /** Whole ms since the epoch. */
  readonly capturedAt: number
}

/** One sibling on the way from a leaf to the root, and the side on which it stands. */
export interface ProofStep {
  readonly hash: Sha256Hex
  readonly position: 'left' | 'right'
}

/**
 * The leaf of one chunk: SHA-256 over 76 bytes, which can never pass for a parent's 64.
 *
 * @throws `bad-input` for an index or time out of range
 */
export const leafHash = async (chunk: LeafInput): Promise<Sha256Hex> =>
  sha256Hex(
    concat(
      uint32be(chunk.index),
      fromHex(chunk.plaintextHash),
      fromHex(chunk.encryptedHash),
      uint64be(chunk.capturedAt),
    ),
  )

const parentHash = async (left: Sha256Hex, right: Sha256Hex) => sha256Hex(fromHex(left + right))

/** The next level up: pairs are hashed, a node without a sibling is promoted unchanged. */
async function levelAbove(level: readonly Sha256Hex[]): Promise<Sha256Hex[]> {
  const above = level.flatMap((left, at) => {
    if (at % 2 === 1) return []
    const right = level[at + 1]
    return [right === undefined ? left : parentHash(left, right)]
  })
  return Promise.all(above)
}

/**
 * The root over leaves in the order given, which is that of their indexes.
 *
 * @throws `bad-input` without leaves: there is no root of nothing
 */
export async function merkleRoot(leaves: readonly Sha256Hex[]): Promise<Sha256Hex> {
  let level = leaves
  while (level.length > 1) level = await levelAbove(level)
  const [root] = level
  if (root === undefined) throw new HoldfastError('bad-input', 'There is no leaf')
  return root
}

/**
 * What leads from one leaf to the root, from the leaf up; levels without a sibling add no step.
 *
 * @param position the leaf's place among `leaves`, from 0; not the chunk's index, where indexes have gaps
 * @throws `bad-input` where no leaf has that position
 */
export async function merkleProof(leaves: readonly Sha256Hex[], position: number): Promise<ProofStep[]> {
  if (leaves[position] === undefined) {
    throw new HoldfastError('bad-input', `There is no leaf ${position} among ${leaves.length}`)
  }
  const proof: ProofStep[] = []
  let at = position
  for (let level = leaves; level.length > 1; level = await levelAbove(level)) {
    const isRight = at % 2 === 1
    const hash = level[isRight ? at - 1 : at + 1]
    if (hash !== undefined) proof.push({ hash, position: isRight ? 'left' : 'right' })
    at = Math.floor(at / 2)
  }
  return proof
}

/** Whether the proof leads from this leaf to this root. */
export async function verifyProof(
  leaf: Sha256Hex,
  proof: readonly ProofStep[],
  root: Sha256Hex,
): Promise<boolean> {
  let node = leaf
  for (const { hash, position } of proof) {
    node = position === 'left' ? await parentHash(hash, node) : await parentHash(node, hash)
  }
  return node === root
}
