import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Sha256Hex } from '../protocol/ids.ts'
import { sha256Hex } from './digest.ts'
import { uint32be } from './bytes.ts'
import { leafHash, merkleProof, merkleRoot, verifyProof } from './merkle.ts'
import vectors from './vectors/evidence.json' with { type: 'json' }

const leaves = vectors.chunks.map(({ leaf }) => leaf as Sha256Hex)
const badInput = expect.objectContaining({ code: 'bad-input' })

describe('leafHash', () => {
  it.each(vectors.chunks)('is the vector leaf of chunk $index', async (chunk) => {
    const plaintextHash = chunk.plaintextHash as Sha256Hex
    const encryptedHash = chunk.encryptedHash as Sha256Hex
    expect(await leafHash({ ...chunk, plaintextHash, encryptedHash })).toBe(chunk.leaf)
  })
})

describe('merkleRoot', () => {
  it.each(Object.entries(vectors.rootsByLeafCount))(
    'is the vector root over %s leaves',
    async (count, root) => {
      expect(await merkleRoot(leaves.slice(0, Number(count)))).toBe(root)
    },
  )

  it('is the vector root over all leaves', async () => {
    expect(await merkleRoot(leaves)).toBe(vectors.merkleRoot)
  })

  it('depends on the order of the leaves', async () => {
    expect(await merkleRoot(leaves.toReversed())).not.toBe(vectors.merkleRoot)
  })

  it('does not exist without leaves', async () => {
    await expect(merkleRoot([])).rejects.toThrow(badInput)
  })
})

describe('merkleProof', () => {
  it.each(Object.entries(vectors.proofs))('is the vector proof at position %s', async (position, proof) => {
    expect(await merkleProof(leaves, Number(position))).toEqual(proof)
  })

  it('leads any leaf of any tree to its root, and no other leaf', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.nat(), fc.nat(), async (count, seed, other) => {
        const some = await Promise.all(Array.from({ length: count }, (_, at) => sha256Hex(uint32be(at))))
        const position = seed % count
        const leaf = some[position] as Sha256Hex
        const wrong = some[other % count] as Sha256Hex
        const proof = await merkleProof(some, position)
        const root = await merkleRoot(some)
        expect(await verifyProof(leaf, proof, root)).toBe(true)
        expect(await verifyProof(wrong, proof, root)).toBe(wrong === leaf)
      }),
      { numRuns: 60 },
    )
  })

  it('fails to verify with a step on the wrong side or against another root', async () => {
    const proof = await merkleProof(leaves, 3)
    const mirrored = proof.map(({ hash, position }) => ({
      hash,
      position: position === 'left' ? ('right' as const) : ('left' as const),
    }))
    const root = vectors.merkleRoot as Sha256Hex
    const leaf = leaves[3] as Sha256Hex
    expect(await verifyProof(leaf, proof, root)).toBe(true)
    expect(await verifyProof(leaf, mirrored, root)).toBe(false)
    expect(await verifyProof(leaf, proof, leaf)).toBe(false)
  })

  it('does not exist for a position without a leaf', async () => {
    await expect(merkleProof(leaves, 9)).rejects.toThrow(badInput)
    await expect(merkleProof(leaves, -1)).rejects.toThrow(badInput)
    await expect(merkleProof([], 0)).rejects.toThrow(badInput)
  })
})
