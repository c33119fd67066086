import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { hex, text } from '../../e2e/second-implementation/bytes.ts'
import { ALL_HEADS, endlessHeads, type EndlessHeads } from '../../e2e/second-implementation/endless-heads.ts'
import { Witness } from '../../e2e/second-implementation/evidence-world.ts'
import { REGISTRY, startFakeNode } from '../../e2e/second-implementation/fake-node.ts'
import { Recording } from '../../e2e/second-implementation/recording.ts'
import type { SessionName } from '../protocol/ids.ts'
import { headsAt } from './heads.ts'

const recording = new Recording('heads.test')
const witness = new Witness()
for (let index = 0; index < 4; index++) {
  await recording.chunk(index, text(`chunk ${index}`))
  // The second and third in one block, and a gap of some.
  witness.anchor(recording.publish().head, index === 2 ? 0 : 5)
}
const honest = witness.witnessed
const lastHonest = honest.at(-1)!
const name = hex(recording.keys.name) as SessionName
const world = {
  name: recording.keys.name,
  group: recording.groups[0]!,
  witnessed: honest,
  objects: recording.objects,
}

const node = await startFakeNode(world)
afterAll(() => node.close())

const MAX = 20
let endless: EndlessHeads
beforeEach(() => {
  node.asked.length = 0
  endless = endlessHeads(node, recording, world)
})

const read = (maxHeads = MAX) =>
  headsAt({ rpcUrl: node.rpcUrl, registry: REGISTRY }, name, { timeoutMs: 240_000 }, maxHeads).all()

describe('a session of which a node, or a thief who pays, has heads without end', () => {
  it.each([
    ['all at once', Infinity, 100],
    ['of some blocks', 7, 100],
    ['of a block', 1, 100],
    ['of two heads', Infinity, 2],
  ])('is read by the first of them, told %s', async (_, range, logs) => {
    Object.assign(endless, { maxRange: range, maxLogs: logs })
    const { heads, beyond } = await read()
    expect(heads).toHaveLength(MAX)
    expect(heads.map(({ blockNumber }) => blockNumber)).toEqual(
      Array.from({ length: MAX }, (_one, at) => endless.taken(at).block),
    )
    expect(heads.every(({ isSigned }) => isSigned)).toBe(true)
    expect(beyond).toMatchObject({
      count: ALL_HEADS,
      newest: { anchors: ALL_HEADS, blockNumber: endless.taken(ALL_HEADS - 1).block },
    })
    expect(endless.told).toBeLessThan(200)
    expect(node.asked.length).toBeLessThan(200)
  })

  it('is read whole where it has no more than are followed', async () => {
    node.onRpc = undefined
    node.newest = lastHonest.block
    const { heads, beyond } = await read(honest.length)
    expect(heads).toHaveLength(honest.length)
    expect(beyond).toBeUndefined()
  })

  it('and none of them in a long time, is said to keep them back', async () => {
    endless.maxRange = 1
    const { onRpc } = node
    node.onRpc = async (request, result) => {
      const told = await onRpc!(request, result)
      return request.method === 'eth_getLogs' &&
        (told as { blockNumber: string }[]).some(({ blockNumber }) => Number(blockNumber) > lastHonest.block)
        ? []
        : told
    }
    await expect(read()).rejects.toMatchObject({ code: 'heads-withheld' })
    expect(node.asked.length).toBeLessThan(500)
  })
})
