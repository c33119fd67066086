import type { Sha256Hex } from '../protocol/ids.ts'
import { concat, fromHex, uint8 } from './bytes.ts'
import { sha256Hex } from './digest.ts'

/** What is kept of a Merkle tree (RFC 9162 §2.1) to make it grow: never more than one hash for each bit of its size. */
export interface Tree {
  /** Entries; in [0, 2^32). */
  readonly size: number
  /** Roots of its complete subtrees, largest first: one for each bit of `size` that is set. */
  readonly frontier: readonly Sha256Hex[]
}

export const EMPTY_TREE: Tree = { size: 0, frontier: [] }

/** The leaf of an entry: its first byte tells it from a node. */
export const leafHash = (entry: Uint8Array): Promise<Sha256Hex> => sha256Hex(concat(uint8(0), entry))

/** The node above two. */
export const nodeHash = (left: Sha256Hex, right: Sha256Hex): Promise<Sha256Hex> =>
  sha256Hex(fromHex(`01${left}${right}`))

/** The tree with these entries at its end. */
export async function appendEntries(tree: Tree, entries: readonly Uint8Array[]): Promise<Tree> {
  const frontier = [...tree.frontier]
  let { size } = tree
  for (const entry of entries) {
    let node = await leafHash(entry)
    // As in adding one to a binary number: each 1 at the end of the size is a subtree as large as the new one.
    for (let bits = size; bits & 1; bits >>>= 1) node = await nodeHash(frontier.pop()!, node)
    frontier.push(node)
    size++
  }
  return { size, frontier }
}

/** The Merkle Tree Hash; SHA-256 of nothing for the empty tree. */
export async function rootOf({ frontier }: Tree): Promise<Sha256Hex> {
  let root: Sha256Hex | undefined
  for (const node of [...frontier].reverse()) root = root ? await nodeHash(node, root) : node
  return root ?? sha256Hex(new Uint8Array())
}

/** How many bits of a number in [0, 2^32) are set: how many hashes the frontier of a tree of that size has. */
export const setBits = (value: number): number => value.toString(2).replace(/0/g, '').length
