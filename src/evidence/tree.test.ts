import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex } from './bytes.ts'
import { appendEntries, EMPTY_TREE, leafHash, rootOf, setBits, type Tree } from './tree.ts'
import vectors from './vectors/rfc9162.json' with { type: 'json' }

const hash = (...parts: readonly Uint8Array[]) =>
  parts.reduce((digest, part) => digest.update(part), createHash('sha256')).digest()

/** MTH of RFC 9162 §2.1.1, word by word. */
function naiveRoot(entries: readonly Uint8Array[]): Buffer {
  if (entries.length === 0) return hash()
  if (entries.length === 1) return hash(Uint8Array.of(0), entries[0]!)
  const k = 2 ** Math.ceil(Math.log2(entries.length) - 1)
  return hash(Uint8Array.of(1), naiveRoot(entries.slice(0, k)), naiveRoot(entries.slice(k)))
}

const someEntries = fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 40 })

describe('a tree', () => {
  it.each(vectors.roots.map((root, size) => ({ size, root })))(
    'has the known root over $size entries',
    async ({ size, root }) => {
      const tree = await appendEntries(EMPTY_TREE, vectors.entries.slice(0, size).map(fromHex))
      expect(await rootOf(tree)).toBe(root)
    },
  )

  it('has the root of RFC 9162, however its entries are appended', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someEntries, { maxLength: 4 }), async (batches) => {
        let tree: Tree = EMPTY_TREE
        for (const batch of batches) tree = await appendEntries(tree, batch)
        const all = batches.flat()
        expect(tree.size).toBe(all.length)
        expect(await rootOf(tree)).toBe(naiveRoot(all).toString('hex'))
      }),
      { numRuns: 60 },
    )
  })

  it('keeps the roots of its complete subtrees, largest first', async () => {
    await fc.assert(
      fc.asyncProperty(someEntries, async (entries) => {
        const { frontier } = await appendEntries(EMPTY_TREE, entries)
        const expected: string[] = []
        for (let from = 0, size = 64; size >= 1; size /= 2) {
          if ((entries.length & size) === 0) continue
          expected.push(naiveRoot(entries.slice(from, from + size)).toString('hex'))
          from += size
        }
        expect(frontier).toEqual(expected)
        expect(setBits(entries.length)).toBe(frontier.length)
      }),
      { numRuns: 60 },
    )
  })

  it('leaves the one that it grew from as it was', async () => {
    const tree = await appendEntries(EMPTY_TREE, [Uint8Array.of(1)])
    await appendEntries(tree, [Uint8Array.of(2), Uint8Array.of(3)])
    expect(tree).toEqual({ size: 1, frontier: [await leafHash(Uint8Array.of(1))] })
  })
})

describe('setBits', () => {
  it.each([
    [0, 0],
    [1, 1],
    [0x8000_0000, 1],
    [0xffff_ffff, 32],
  ])('of %d are %d', (value, bits) => {
    expect(setBits(value)).toBe(bits)
  })
})
