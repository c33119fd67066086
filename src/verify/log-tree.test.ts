import { expect, it } from 'vitest'
import { randomFrom } from '../../e2e/second-implementation/random.ts'
import { fromHex } from '../evidence/bytes.ts'
import { appendEntries, EMPTY_TREE, leafHash, rootOf as rootOfTree } from '../evidence/tree.ts'
import { leafOf, rootOf, withLeaves, type LogTree } from './log-tree.ts'

it('is the tree that a writer has, at each size and from each size on', async () => {
  const random = randomFrom('log-tree.test')
  const entries = Array.from({ length: 40 }, (_, length) => random.bytes(1 + length))
  const leaves = entries.map(leafOf)
  let theirs = EMPTY_TREE
  let ours: LogTree = { size: 0, frontier: [] }
  for (const [at, entry] of entries.entries()) {
    theirs = await appendEntries(theirs, [entry])
    ours = withLeaves(ours, leaves.slice(at, at + 1))
    expect(leaves[at]).toEqual(fromHex(await leafHash(entry)))
    expect(ours).toEqual({ size: at + 1, frontier: theirs.frontier.map(fromHex) })
    expect(rootOf(ours)).toBe(await rootOfTree(theirs))
    expect(rootOf(withLeaves(ours, leaves.slice(at + 1)))).toBe(
      await rootOfTree(await appendEntries(theirs, entries.slice(at + 1))),
    )
  }
})
