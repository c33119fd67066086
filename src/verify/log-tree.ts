import { flatHex } from '../evidence/flat-hex.ts'
import type { Sha256Hex } from '../protocol/ids.ts'
import { sha256 } from './sha256.ts'

/** A hash of the tree: 32 bytes. */
export type Node = Uint8Array<ArrayBuffer>

/** `Tree` of src/evidence, of which a reader computes ten nodes for each entry: all at once. */
export interface LogTree {
  /** Entries. */
  readonly size: number
  /** Roots of its complete subtrees, largest first. */
  readonly frontier: readonly Node[]
}

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** The leaf of an entry (RFC 9162 §2.1.1). */
export const leafOf = (entry: Uint8Array): Node => sha256(LEAF, entry)

/** The tree with these leaves at its end. */
export function withLeaves(tree: LogTree, leaves: readonly Node[]): LogTree {
  const frontier = [...tree.frontier]
  let { size } = tree
  for (const leaf of leaves) {
    let node = leaf
    // As in adding one to a binary number: each 1 at the end of the size is a subtree as large as the new one.
    for (let bits = size; bits % 2 === 1; bits = (bits - 1) / 2) node = sha256(NODE, frontier.pop()!, node)
    frontier.push(node)
    size++
  }
  return { size, frontier }
}

/** The Merkle Tree Hash of a tree that has an entry. */
export const rootOf = ({ frontier }: LogTree): Sha256Hex =>
  flatHex(frontier.reduceRight((root, node) => sha256(NODE, node, root))) as Sha256Hex
