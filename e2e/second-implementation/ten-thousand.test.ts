import { expect, it, onTestFinished } from 'vitest'
import { takesWhole } from '../test-size.ts'
import { text } from './bytes.ts'
import { worldOf } from './evidence-world.ts'
import { startFakeNode } from './fake-node.ts'
import { openIn } from './product-reader.ts'
import { Recording } from './recording.ts'

const CHUNKS = takesWhole() ? 10_000 : 400

it(
  `of ${CHUNKS} chunks all are read but the one that is missing at the store`,
  { timeout: 1_800_000 },
  async () => {
    const long = new Recording('ten thousand')
    for (let index = 0; index < CHUNKS; index++) {
      await long.chunk(index, text(`chunk ${index}`))
      if (index % 500 === 499 || index === CHUNKS - 1) long.publish()
    }
    const gone = long.chunks[CHUNKS / 2]!
    const world = worldOf(long)
    const objects = new Map(world.objects)
    objects.delete(gone.cid)
    const node = await startFakeNode({ ...world, objects })
    onTestFinished(() => node.close())

    const bad: (readonly [number, string])[] = []
    let proved = 0
    for await (const { index, verdict } of (await openIn(world, node)).chunks())
      if (verdict === 'proved') proved++
      else bad.push([index, verdict])
    expect(bad).toEqual([[gone.index, 'chunk-missing']])
    expect(proved).toBe(CHUNKS - 1)
  },
)
