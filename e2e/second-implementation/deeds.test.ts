import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hex } from './bytes.ts'
import { Scene } from './deed-scene.ts'
import { WHOLE, type Outcome } from './deed.ts'
import { DEEDS } from './deeds.ts'
import { evidenceOf, type EvidenceWorld } from './evidence-world.ts'
import { startFakeNode, type FakeNode } from './fake-node.ts'
import { saidByProduct, saidInSteps, takenBack } from './product-reader.ts'
import { noPython, startPythonReader, type PythonReader } from './python-reader.ts'
import { readSecond, type Said } from './second-reader.ts'
import { sampleOf } from '../test-size.ts'

let node: FakeNode
let python: PythonReader | undefined
beforeAll(async () => {
  if (noPython() === undefined) python = startPythonReader()
  node = await startFakeNode({
    name: Buffer.alloc(32),
    witnessed: [],
    objects: new Map(),
  } as unknown as EvidenceWorld)
})
afterAll(() => {
  python?.close()
  node.close()
})

const LETTERS: Readonly<Record<string, string>> = { good: 'g', 'bad-signature': 'b', forked: 'f' }

function outcomeOf(said: Said): string | Outcome {
  if ('refused' in said) return said.refused
  return {
    heads: said.heads.map((verdict) => LETTERS[verdict]).join(''),
    chunks: said.chunks.map(({ verdict }) => (verdict === 'proved' ? 'p' : verdict)),
    lost: said.lost,
    apart: said.forked.length,
    ending: said.ending,
    missing: said.missing,
    repeated: said.repeated.length,
    metadata: said.metadata,
    notes: said.notes,
  }
}

describe('the reader says of', () => {
  it.each(sampleOf(DEEDS).map((deed) => [`${deed.party} that ${deed.deed}`, deed] as const))(
    '%s',
    async (_, deed) => {
      node.onRpc = undefined
      node.onObject = undefined
      const scene = new Scene(node)
      const others = (await deed.act(scene)) ?? []
      const world = scene.world(...others)
      node.world = world
      const expected = typeof deed.says === 'string' ? deed.says : { ...WHOLE, ...deed.says }
      const said = await saidByProduct(world, node)
      expect(outcomeOf(said)).toEqual(expected)
      if (deed.since && 'chunks' in said)
        expect(said.chunks.map(({ existedBeforeMs }) => existedBeforeMs)).toEqual(
          deed.since.map((head) => world.witnessed[head - 1]!.timeMs),
        )

      // A reader that begins before it knows all says the same at last, and nothing before that it takes back.
      const { early, last } = await saidInSteps(world, node)
      expect(last).toEqual(said)
      // Where the node contradicts itself later, all is refused; what its first block had stays true.
      if (!('refused' in last)) expect(early.flatMap((step) => takenBack(step, last))).toEqual([])

      if (deed.isServed) return
      expect(await readSecond(evidenceOf(world), hex(world.name), world.group.privateKey)).toEqual(said)
      // The reader in Python has no words for a node or a gateway that fails.
      if (python) expect(await python.read(world, node)).toEqual(said)
    },
  )
})
