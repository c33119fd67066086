import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Sha256Hex } from '../protocol/ids.ts'
import { fromHex, uint32be } from './bytes.ts'
import { sha256Hex } from './digest.ts'
import { consistencyProof, inclusionProof, treeRoot, verifyConsistency, verifyInclusion } from './proofs.ts'
import { appendEntries, EMPTY_TREE, leafHash, nodeHash, rootOf } from './tree.ts'
import vectors from './vectors/rfc9162.json' with { type: 'json' }

const badInput = expect.objectContaining({ code: 'bad-input' })
const SIZE = 40
const entries = Array.from({ length: SIZE }, (_, at) => uint32be(at))
const leaves = await Promise.all(entries.map(leafHash))
const known = await Promise.all(vectors.entries.map(fromHex).map(leafHash))
const stranger = await sha256Hex(uint32be(4711))

/** Each proof that differs in one step, lacks one or has one too many. */
const spoiled = (proof: readonly Sha256Hex[]) => [
  ...proof.map((_, at) => proof.with(at, stranger)),
  ...proof.map((_, at) => proof.toSpliced(at, 1)),
  [...proof, stranger],
  [stranger, ...proof],
]

describe('treeRoot', () => {
  it('is that of the tree which grew', async () => {
    for (let size = 0; size <= SIZE; size++)
      expect(await treeRoot(leaves.slice(0, size))).toBe(
        await rootOf(await appendEntries(EMPTY_TREE, entries.slice(0, size))),
      )
  })
})

describe('an inclusion proof', () => {
  it.each(vectors.inclusion)('is the known one of $position in $size', async ({ position, size, proof }) => {
    expect(await inclusionProof(known.slice(0, size), position)).toEqual(proof)
  })

  it('holds for its leaf, its position and its size alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: SIZE }), fc.nat(), fc.nat(), async (size, seed, other) => {
        const position = seed % size
        const some = leaves.slice(0, size)
        const proof = await inclusionProof(some, position)
        const claim = { leaf: some[position]!, position, size, root: await treeRoot(some), proof }
        expect(await verifyInclusion(claim)).toBe(true)
        const elsewhere = other % size
        expect(await verifyInclusion({ ...claim, position: elsewhere })).toBe(elsewhere === position)
        expect(await verifyInclusion({ ...claim, leaf: stranger })).toBe(false)
        expect(await verifyInclusion({ ...claim, root: stranger })).toBe(false)
        for (const wrong of spoiled(proof))
          expect(await verifyInclusion({ ...claim, proof: wrong })).toBe(false)
      }),
      { numRuns: 100 },
    )
  })

  it('does not hold with a step above the root, though it makes the root that is claimed', async () => {
    const leaf = leaves[0]!
    const root = await nodeHash(stranger, leaf)
    expect(await verifyInclusion({ leaf, position: 0, size: 1, root, proof: [stranger] })).toBe(false)
  })

  it('does not exist for a position without a leaf, and is not believed there', async () => {
    await expect(inclusionProof(leaves, SIZE)).rejects.toThrow(badInput)
    await expect(inclusionProof([], 0)).rejects.toThrow(badInput)
    const claim = { leaf: leaves[0]!, size: 1, root: leaves[0]!, proof: [] }
    expect(await verifyInclusion({ ...claim, position: 0 })).toBe(true)
    expect(await verifyInclusion({ ...claim, position: 1 })).toBe(false)
    expect(await verifyInclusion({ ...claim, position: -1 })).toBe(false)
  })
})

describe('a consistency proof', () => {
  it.each(vectors.consistency)(
    'is the known one from $first to $second',
    async ({ first, second, proof }) => {
      expect(await consistencyProof(known.slice(0, second), first)).toEqual(proof)
    },
  )

  it('holds from any size to any larger one, and for no other roots', async () => {
    const sizes = fc.integer({ min: 1, max: SIZE })
    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (a, b) => {
        const [firstSize, secondSize] = a < b ? [a, b] : [b, a]
        const proof = await consistencyProof(leaves.slice(0, secondSize), firstSize)
        const claim = {
          firstSize,
          firstRoot: await treeRoot(leaves.slice(0, firstSize)),
          secondSize,
          secondRoot: await treeRoot(leaves.slice(0, secondSize)),
          proof,
        }
        expect(await verifyConsistency(claim)).toBe(true)
        expect(await verifyConsistency({ ...claim, firstRoot: stranger })).toBe(false)
        expect(await verifyConsistency({ ...claim, secondRoot: stranger })).toBe(false)
        for (const wrong of spoiled(proof))
          expect(await verifyConsistency({ ...claim, proof: wrong })).toBe(false)
      }),
      { numRuns: 100 },
    )
  })

  it('does not hold with a step above the roots, though it makes those that are claimed', async () => {
    const claim = {
      firstSize: 3,
      firstRoot: await nodeHash(stranger, await treeRoot(leaves.slice(0, 3))),
      secondSize: 4,
      secondRoot: await nodeHash(stranger, await treeRoot(leaves.slice(0, 4))),
      proof: [...(await consistencyProof(leaves.slice(0, 4), 3)), stranger],
    }
    expect(await verifyConsistency(claim)).toBe(false)
  })

  it('does not exist for a size of 0 or a larger one, and is not believed there', async () => {
    await expect(consistencyProof(leaves, 0)).rejects.toThrow(badInput)
    await expect(consistencyProof(leaves, SIZE + 1)).rejects.toThrow(badInput)
    const [firstRoot, secondRoot] = [await treeRoot(leaves), leaves[0]!]
    expect(
      await verifyConsistency({ firstSize: SIZE, firstRoot, secondSize: 1, secondRoot, proof: [] }),
    ).toBe(false)
    expect(await verifyConsistency({ firstSize: 0, firstRoot, secondSize: 1, secondRoot, proof: [] })).toBe(
      false,
    )
  })
})
