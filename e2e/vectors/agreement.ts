import { isDeepStrictEqual } from 'node:util'
import { hex } from './bytes.ts'
import { evidenceOf } from './evidence-world.ts'
import { startFakeNode, type FakeNode } from './fake-node.ts'
import { saidByProduct } from './product-reader.ts'
import { randomSession } from './random-session.ts'
import { readSecond, type Said } from './second-reader.ts'

/** What both readers said of random sessions. */
export interface Agreement {
  readonly sessions: number
  /** Sessions by what was said: `refused` with its code, else whether anything was found. */
  readonly found: Readonly<Record<string, number>>
  readonly differences: readonly { seed: string; deeds: readonly string[]; product: Said; second: Said }[]
}

/** Lets both readers read the sessions of these seeds. */
export async function compareReaders(seeds: readonly string[]): Promise<Agreement> {
  let node: FakeNode | undefined
  const found: Record<string, number> = {}
  const differences: { seed: string; deeds: readonly string[]; product: Said; second: Said }[] = []
  try {
    for (const seed of seeds) {
      const world = await randomSession(seed)
      node ??= await startFakeNode(world)
      node.world = world
      const product = await saidByProduct(world, node)
      const second = await readSecond(evidenceOf(world), hex(world.name), world.group.privateKey)
      const kind = kindOf(second)
      found[kind] = (found[kind] ?? 0) + 1
      if (!isDeepStrictEqual(product, second)) differences.push({ seed, deeds: world.deeds, product, second })
    }
  } finally {
    node?.close()
  }
  return { sessions: seeds.length, found, differences }
}

function kindOf(said: Said): string {
  if ('refused' in said) return said.refused
  const bad = said.chunks.some(({ verdict }) => verdict !== 'proved')
  const told = [
    said.heads.includes('forked') && 'forked',
    said.heads.includes('bad-signature') && 'bad signature',
    said.lost.length > 0 && 'lost entries',
    bad && 'bad chunks',
  ].filter((word) => word !== false)
  return told.join(', ') || 'all proved'
}
