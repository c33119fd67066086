import { isDeepStrictEqual } from 'node:util'
import { hex } from './bytes.ts'
import { evidenceOf } from './evidence-world.ts'
import { startFakeNode, type FakeNode } from './fake-node.ts'
import { saidByProduct } from './product-reader.ts'
import { noPython, startPythonReader } from './python-reader.ts'
import { randomSession } from './random-session.ts'
import { readSecond, type Said } from './second-reader.ts'

/** What the readers said of random sessions. */
export interface Agreement {
  readonly sessions: number
  /** Sessions by what was said: `refused` with its code, else whether anything was found. */
  readonly found: Readonly<Record<string, number>>
  readonly differences: readonly Difference[]
  /** Why the reader in Python was not asked. */
  readonly withoutPython: string | undefined
}

interface Difference {
  readonly seed: string
  readonly deeds: readonly string[]
  readonly product: Said
  readonly second: Said
  /** What the reader in Python said; undefined where there is no Python. */
  readonly python: Said | undefined
}

/** Lets all readers that run here read the sessions of these seeds. */
export async function compareReaders(seeds: readonly string[]): Promise<Agreement> {
  let node: FakeNode | undefined
  const found: Record<string, number> = {}
  const differences: Difference[] = []
  const withoutPython = noPython()
  const inPython = withoutPython === undefined ? startPythonReader() : undefined
  try {
    for (const seed of seeds) {
      const world = await randomSession(seed)
      node ??= await startFakeNode(world)
      node.world = world
      const product = await saidByProduct(world, node)
      const second = await readSecond(evidenceOf(world), hex(world.name), world.group.privateKey)
      const kind = kindOf(second)
      found[kind] = (found[kind] ?? 0) + 1
      const python = await inPython?.read(world, node)
      const agree = isDeepStrictEqual(product, second) && (!python || isDeepStrictEqual(product, python))
      if (!agree) differences.push({ seed, deeds: world.deeds, product, second, python })
    }
  } finally {
    node?.close()
    inPython?.close()
  }
  return { sessions: seeds.length, found, differences, withoutPython }
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
