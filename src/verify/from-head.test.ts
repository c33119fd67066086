import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { hex, text } from '../../e2e/second-implementation/bytes.ts'
import { worldOf } from '../../e2e/second-implementation/evidence-world.ts'
import { startFakeNode } from '../../e2e/second-implementation/fake-node.ts'
import { randomFrom } from '../../e2e/second-implementation/random.ts'
import { groupOf, Recording, signedHeadBytes } from '../../e2e/second-implementation/recording.ts'
import { sha256Hex } from '../evidence/digest.ts'
import { pageCid } from '../evidence/page.ts'
import { openSession, type FromHead, type JudgedChunk, type ReadingOptions } from './index.ts'

// A session is read from one of its heads, without a chain.

const group = groupOf(randomFrom('from-head').bytes(32))
const recording = new Recording('from-head', { groups: [group] })
for (const index of [0, 1]) {
  await recording.chunk(index, text(`piece ${index}`))
  recording.publish()
}
recording.end('complete', 2)
recording.publish()
const name = hex(recording.keys.name)
const heads = recording.pages.map(({ head }) => Uint8Array.from(signedHeadBytes(head)))
const [first, , last] = heads as [Uint8Array, Uint8Array, Uint8Array]
const address = pageCid(await sha256Hex(Uint8Array.from(last)))

const node = await startFakeNode(worldOf(recording))
afterAll(() => node.close())
beforeEach(() => {
  node.asked.length = 0
  node.onObject = (cid, bytes) => (cid === address ? Buffer.from(last) : bytes)
  node.onRpc = () => {
    throw new Error('No chain is asked.')
  }
})

const open = (changes: Partial<ReadingOptions & FromHead> = {}) =>
  openSession({ head: address, gateway: node.gateway, groupKey: group.privateKey, ...changes })

const withBit = (bytes: Uint8Array, at: number) =>
  Uint8Array.from(bytes, (byte, here) => (here === at ? byte ^ 1 : byte))

describe('from a head alone', () => {
  it.each([
    ['address', address],
    ['bytes', last],
  ])('that is told by its %s a session is read, and said to be witnessed by nobody', async (_by, head) => {
    const session = await open({ head })
    expect(session).toMatchObject({ name, ending: 'complete', size: 4, vanished: [], nodes: [] })
    expect(session.heads).toMatchObject([{ size: 4, verdict: 'unwitnessed' }])
    expect(session.heads[0]).toMatchObject({ blockNumber: undefined, timeMs: undefined })
    const chunks: JudgedChunk[] = []
    for await (const chunk of session.chunks()) chunks.push(chunk)
    expect(chunks.map(({ verdict, existedBeforeMs }) => [verdict, existedBeforeMs])).toEqual([
      ['proved', undefined],
      ['proved', undefined],
    ])
    expect(Buffer.from(await session.bytes()).toString()).toBe('piece 0piece 1')
  })

  it('that is older than another one a session is read as far as it goes', async () => {
    expect(await open({ head: first })).toMatchObject({ ending: 'open', size: 2 })
  })

  it('its portable form can be brought to a chain later', async () => {
    const { newestHead } = await open()
    expect(newestHead.head).toMatchObject({ name, size: 4, end: true })
    expect(newestHead.groups).toHaveLength(1)
  })

  it.each<[string, Partial<ReadingOptions & FromHead>, string]>([
    ['with another signature', { head: withBit(last, 312) }, 'head-signature'],
    ['with another root', { head: withBit(last, 60) }, 'head-signature'],
    ['of another session than the one that is asked for', { name: '12'.repeat(32) }, 'bad-input'],
    ['that is too short', { head: last.subarray(1) }, 'bad-input'],
    ['that is no address', { head: 'https://gateway.example' }, 'bad-input'],
  ])('%s nothing is read', async (_what, changes, code) => {
    await expect(open(changes)).rejects.toMatchObject({ code })
  })

  it.each([
    ['is not there', undefined, 'page-missing'],
    ['is another', Buffer.from(first), 'page-address'],
    ['is longer than any head', Buffer.alloc(1_000, 'x'), 'page-address'],
    ['is the sign-in page of a network', Buffer.from(`<html>${'x'.repeat(1_000)}`), 'gateway-unreachable'],
  ])('nothing is read where it %s', async (_what, bytes, code) => {
    node.onObject = (cid, held) => (cid === address ? bytes : held)
    await expect(open()).rejects.toMatchObject({ code })
  })

  it('nothing is read where there is neither a head nor a chain, or both', async () => {
    const both = { chain: { rpcUrl: node.rpcUrl, registry: `0x${'ab'.repeat(20)}` }, name }
    await expect(open({ head: undefined, name } as never)).rejects.toMatchObject({ code: 'bad-input' })
    await expect(open(both as never)).rejects.toMatchObject({ code: 'bad-input' })
  })
})
