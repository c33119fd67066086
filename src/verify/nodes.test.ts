import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { hex, text } from '../../e2e/second-implementation/bytes.ts'
import { Witness, type EvidenceWorld } from '../../e2e/second-implementation/evidence-world.ts'
import {
  refuseRpc,
  REGISTRY,
  startFakeNode,
  type FakeLog,
} from '../../e2e/second-implementation/fake-node.ts'
import { randomFrom } from '../../e2e/second-implementation/random.ts'
import { groupOf, Recording } from '../../e2e/second-implementation/recording.ts'
import { openSession, type FromChain, type ReadingOptions, type VerifiedSession } from './index.ts'

const group = groupOf(randomFrom('nodes.test').bytes(32))
const recording = new Recording('nodes.test', { groups: [group] })
for (let index = 0; index < 3; index++) {
  await recording.chunk(index, text(`chunk ${index}`))
  recording.publish()
}

/** What a chain has that took the first heads, each so many blocks after the one before. */
function chainOf(heads: number, blocks = 1): EvidenceWorld {
  const witness = new Witness()
  for (const { head } of recording.pages.slice(0, heads)) witness.anchor(head, blocks)
  const { objects, keys } = recording
  return { name: keys.name, group, witnessed: witness.witnessed, objects }
}

const nodes = [
  await startFakeNode(chainOf(3)),
  await startFakeNode(chainOf(3)),
  await startFakeNode(chainOf(3)),
]
afterAll(() => nodes.forEach((node) => node.close()))
beforeEach(() => {
  for (const node of nodes) {
    node.world = chainOf(3)
    node.onRpc = undefined
    node.newest = 1_000
  }
})
const hosts = nodes.map(({ rpcUrl }) => new URL(rpcUrl).host)

const open = (changes: Partial<ReadingOptions & FromChain> = {}) =>
  openSession({
    chain: { rpcUrls: nodes.map(({ rpcUrl }) => rpcUrl), registry: REGISTRY },
    gateway: nodes[0]!.gateway,
    name: hex(recording.keys.name),
    groupKey: group.privateKey,
    timeoutMs: 240_000,
    ...changes,
  })

/** A list in a list, so many times. */
const nested = (times: number): unknown => JSON.parse('['.repeat(times) + ']'.repeat(times))

describe('several nodes', () => {
  it('that say the same are one', async () => {
    const session = await open()
    expect(session.heads.map(({ verdict, disputed }) => [verdict, disputed])).toEqual(
      [1, 2, 3].map(() => ['good', undefined]),
    )
    expect(session.vanished).toEqual([])
    expect(session.nodes).toContainEqual({ host: hosts[0], heads: 3 })
  })

  it('of which one keeps heads back are read by another', async () => {
    nodes[0]!.world = chainOf(1)
    nodes[1]!.world = chainOf(2)
    const session = await open()
    expect(session.heads).toHaveLength(3)
    expect(session.vanished).toEqual([])
    expect(session.nodes).toEqual(hosts.map((host, at) => ({ host, heads: at + 1 })))
  })

  it('of which some are down or make no sense are read by the others, and those are told', async () => {
    nodes[0]!.onRpc = () => refuseRpc('no')
    nodes[1]!.onRpc = ({ method }, result) => (method === 'eth_call' ? '0x12' : result)
    const session = await open()
    expect(session.heads).toHaveLength(3)
    expect(session.nodes).toMatchObject([
      { host: hosts[0], error: { code: 'chain-answer' } },
      { host: hosts[1], error: { code: 'chain-answer' } },
      { host: hosts[2], heads: 3 },
    ])
  })

  it.each<[string, Record<string, unknown>]>([
    ['an address that is no text', { address: { toString: 1 } }],
    ['a name that is no text', { topics: [{ toString: 1 }] }],
    ['a block that is nested', { blockNumber: nested(2_000) }],
    ['nothing of a place in the block', { logIndex: null }],
  ])('of which one tells of %s are read by the others, and that is told', async (_, change) => {
    nodes[0]!.onRpc = ({ method }, result) =>
      method === 'eth_getLogs' ? (result as FakeLog[]).map((log) => Object.assign(log, change)) : result
    const session = await open()
    expect(session.heads).toHaveLength(3)
    expect(session.nodes[0]).toMatchObject({ host: hosts[0], error: { code: 'chain-answer' } })
    const alone = open({ chain: { rpcUrl: nodes[0]!.rpcUrl, registry: REGISTRY } })
    await expect(alone).rejects.toMatchObject({ code: 'chain-answer' })
  })

  it('of which one never answers are not waited for', async () => {
    let release = () => {}
    const never = new Promise<void>((resolve) => {
      release = resolve
    })
    nodes[0]!.onRpc = () => never
    const session = await open()
    release()
    expect(session.heads).toHaveLength(3)
    expect(session.nodes[0]).toEqual({ host: hosts[0] })
  })

  it('of which none can be read are told by the one that was heard', async () => {
    nodes[0]!.onRpc = () => refuseRpc('no')
    const rpcUrls = ['http://127.0.0.1:1/', nodes[0]!.rpcUrl]
    await expect(open({ chain: { rpcUrls, registry: REGISTRY } })).rejects.toMatchObject({
      code: 'chain-answer',
    })
  })

  it('that name different blocks for a head have the later time count, and that is told', async () => {
    nodes[0]!.world = chainOf(3, 2)
    const session = await open()
    const [first] = session.heads
    const [early, late] = [nodes[1]!.world.witnessed[0]!, nodes[0]!.world.witnessed[0]!]
    expect(first?.timeMs).toBe(late.timeMs)
    expect(first?.disputed).toContainEqual({ by: hosts[1], blockNumber: early.block, timeMs: early.timeMs })
    expect(session.listed[0]?.existedBeforeMs).toBe(late.timeMs)
  })
})

describe('of a thief with the session’s key, put before the honest ones by a node that lies', () => {
  const thief = new Recording('nodes.test, a thief', { groups: [group], keys: recording.keys, metadata: {} })
  const stolen = thief.publish()
  const [first, ...others] = chainOf(3).witnessed
  /** All that is honest, with one more head in an earlier block. */
  const lying = {
    ...chainOf(3),
    witnessed: [
      { head: stolen.head, block: first!.block - 1, timeMs: first!.timeMs - 2_000 },
      first!,
      ...others,
    ],
    objects: new Map([...recording.objects, ...thief.objects]),
  }
  const verdictsOf = ({ heads }: VerifiedSession) => heads.map(({ verdict }) => verdict)
  const honest = ['good', 'good', 'good']
  const chain = (...of: number[]) => ({
    chain: { rpcUrls: of.map((at) => nodes[at]!.rpcUrl), registry: REGISTRY },
    gateway: nodes[1]!.gateway,
  })

  it('a head is not believed where more of the others say the same, and is told', async () => {
    nodes[0]!.world = lying
    // One of them is behind.
    nodes[2]!.world = chainOf(2)
    const session = await open(chain(0, 1, 2))
    expect(verdictsOf(session)).toEqual(honest)
    expect(session.vanished).toMatchObject([{ by: hosts[0], blockNumber: first!.block - 1 }])
    expect(session.nodes).toEqual([
      { host: hosts[0], heads: 4, contradicts: true },
      { host: hosts[1], heads: 3 },
      { host: hosts[2], heads: 2 },
    ])
  })

  it.each([
    ['that is named first', [0, 1], 'forked'],
    ['that is named last', [1, 0], 'good'],
  ])(
    'a head of one of two, %s: the first that is named is believed, and the contradiction told',
    async (_, of, verdict) => {
      nodes[0]!.world = lying
      nodes[1]!.world = { ...chainOf(3), objects: lying.objects }
      const session = await open(chain(...of))
      expect(session.heads.at(-1)?.verdict).toBe(verdict)
      expect(session.nodes).toMatchObject(
        of.map((_at, place) => (place === 0 ? { heads: expect.any(Number) } : { contradicts: true })),
      )
    },
  )

  it('a head of the only node is believed: who has the key, and the only word of the chain, can fork all', async () => {
    nodes[0]!.world = lying
    nodes[1]!.world = lying
    expect(verdictsOf(await open(chain(0)))).toEqual(['good', 'forked', 'forked', 'forked'])
  })
})

describe('a head', () => {
  it('that an earlier reading told of, and the chain has no more, has vanished', async () => {
    const { heads } = await open()
    for (const node of nodes) node.world = chainOf(2)
    const session = await open({ seen: heads })
    expect(session.heads).toHaveLength(2)
    const { size, root, blockNumber, timeMs } = heads[2]!
    expect(session.vanished).toEqual([{ size, root, blockNumber, timeMs, by: 'an earlier reading' }])
  })

  it.each([
    [1, 0],
    [6, 0],
    [7, 1],
  ])(
    'that an earlier reading told of, in a block %i after the newest of the nodes: %i has vanished',
    async (behind, count) => {
      for (const node of nodes) node.world = chainOf(3, 10)
      const { heads } = await open()
      for (const node of nodes) node.newest = heads[2]!.blockNumber! - behind
      const session = await open({ seen: heads })
      expect(session.heads).toHaveLength(2)
      expect(session.vanished).toHaveLength(count)
    },
  )

  it('that a reorganisation has moved is told with both blocks', async () => {
    const { heads } = await open()
    for (const node of nodes) node.world = chainOf(3, 3)
    const session = await open({ seen: heads })
    expect(session.vanished).toEqual([])
    const { blockNumber, timeMs } = heads[0]!
    expect(session.heads[0]?.disputed).toEqual([{ by: 'an earlier reading', blockNumber, timeMs }])
  })

  it('says how late it came, by the device’s clock', async () => {
    const session = await open()
    const newest = recording.chunks[1]!
    const { timeMs, lateMs } = session.heads[1]!
    expect(lateMs).toBe(timeMs! - newest.capturedAtMs - newest.durationMs)
  })

  it('has the time of its block with it where the node tells that: nothing more is asked', async () => {
    for (const node of nodes) node.asked.length = 0
    nodes[0]!.onRpc = ({ method }, result) =>
      method === 'eth_getLogs'
        ? (result as FakeLog[]).map((log) => Object.assign(log, { blockTimestamp: timestampOf(log) }))
        : result
    const session = await open({ chain: { rpcUrl: nodes[0]!.rpcUrl, registry: REGISTRY } })
    expect(session.heads.map(({ timeMs }) => timeMs)).toEqual(
      chainOf(3).witnessed.map(({ timeMs }) => timeMs),
    )
    expect(nodes[0]!.asked).not.toContain('eth_getBlockByNumber')
  })

  it('may be told in large digits', async () => {
    nodes[0]!.onRpc = ({ method }, result) =>
      method === 'eth_getLogs' ? (result as FakeLog[]).map(inLarge) : result
    const session = await open({ chain: { rpcUrl: nodes[0]!.rpcUrl, registry: REGISTRY } })
    expect(session.heads).toHaveLength(3)
  })

  it.each(['0x0', '', null, 1_770_000_000])(
    'whose time the node tells as %j, as some do that do not know it, has that of its block',
    async (blockTimestamp) => {
      nodes[0]!.onRpc = ({ method }, result) =>
        method === 'eth_getLogs'
          ? (result as FakeLog[]).map((log) => Object.assign(log, { blockTimestamp }))
          : result
      const session = await open({ chain: { rpcUrl: nodes[0]!.rpcUrl, registry: REGISTRY } })
      expect(session.heads.map(({ timeMs }) => timeMs)).toEqual(
        chainOf(3).witnessed.map(({ timeMs }) => timeMs),
      )
    },
  )

  it('whose time the node tells otherwise than the registry is not believed', async () => {
    nodes[0]!.onRpc = ({ method }, result) =>
      method === 'eth_getLogs'
        ? (result as FakeLog[]).map((log) => Object.assign(log, { blockTimestamp: '0x1' }))
        : result
    const opening = open({ chain: { rpcUrl: nodes[0]!.rpcUrl, registry: REGISTRY } })
    await expect(opening).rejects.toMatchObject({ code: 'chain-answer' })
  })
})

const inLarge = ({ topics, data, ...log }: FakeLog): FakeLog => ({
  ...log,
  topics: topics.map((topic) => topic.toUpperCase().replace('X', 'x')),
  data: data.toUpperCase().replace('X', 'x'),
})

const timestampOf = ({ blockNumber }: FakeLog) => {
  const { timeMs } = chainOf(3).witnessed.find(({ block }) => block === Number(blockNumber))!
  return `0x${(timeMs / 1_000).toString(16)}`
}
