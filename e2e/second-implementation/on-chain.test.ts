import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anchorHead } from '../../src/verify/index.ts'
import { hex, text } from './bytes.ts'
import { carry as carryTo } from './carry.ts'
import { evidenceOf, worldOf, type EvidenceWorld, type Witnessed } from './evidence-world.ts'
import { saidOf } from './product-reader.ts'
import { randomFrom } from './random.ts'
import { startRealChain, type RealChain } from './real-chain.ts'
import { groupOf, Recording, signHead, type SignedHead } from './recording.ts'
import { readSecond } from './second-reader.ts'

// The product's reader against a real chain and the real registry; what the second writer made, anybody may carry.

const group = groupOf(randomFrom('on-chain').bytes(32))

let chain: RealChain
beforeAll(async () => {
  chain = await startRealChain()
})
afterAll(() => chain.close())

const carry = (recording: Recording, ...heads: readonly SignedHead[]) =>
  carryTo(chain.backend, recording, ...heads)

async function read(world: EvidenceWorld) {
  chain.store.world = world
  const session = await chain.open(hex(world.name), group.privateKey)
  const said = await saidOf(session)
  expect(said).toEqual(await readSecond(evidenceOf(world), hex(world.name), group.privateKey))
  return session
}

describe('on a real chain', () => {
  it('a recording is read back with the times of its blocks', async () => {
    const mine = new Recording('on-chain', { groups: [group] })
    const witnessed: Witnessed[] = []
    for (let index = 0; index < 5; index++) {
      await mine.chunk(index, text(`chunk ${index}`))
      if (index === 4) mine.end('complete', 5)
      const page = mine.publish()
      // Two heads in one block, and blocks between the others that have none of it.
      if (index === 2) witnessed.push(...(await carry(mine, mine.pages[1]!.head, page.head)))
      else if (index !== 1) witnessed.push(...(await carry(mine, page.head)))
      await chain.backend.chain.mine(3)
    }
    const session = await read({ ...worldOf(mine), group, witnessed })
    expect(session.heads).toMatchObject(
      witnessed.map(({ head, block, timeMs }) => ({
        size: head.size,
        root: hex(head.root),
        blockNumber: block,
        timeMs,
        verdict: 'good',
      })),
    )
    expect(session.ending).toBe('complete')
    expect(Buffer.from(await session.bytes()).toString()).toBe('chunk 0chunk 1chunk 2chunk 3chunk 4')
  })

  it('a fork by a thief with the key is told, and what was anchored before stands', async () => {
    const mine = new Recording('forked on-chain', { groups: [group] })
    await mine.chunk(0, text('seen'))
    const witnessed = await carry(mine, mine.publish().head)
    const thief = mine.copy('thief')
    for (const index of [1, 2]) await thief.chunk(index, text('made up'))
    witnessed.push(...(await carry(thief, thief.publish().head)))
    for (const index of [1, 2, 3]) await mine.chunk(index, text('seen'))
    witnessed.push(...(await carry(mine, mine.publish().head)))
    const objects = new Map([...mine.objects, ...thief.objects])
    const session = await read({ name: mine.keys.name, group, witnessed, objects })
    expect(session.heads.map(({ verdict }) => verdict)).toEqual(['good', 'good', 'forked'])
    expect(session.forked).toHaveLength(3)
  })

  it('a head larger than any log, which the registry takes, costs nothing that was anchored before', async () => {
    const mine = new Recording('beyond on-chain', { groups: [group] })
    await mine.chunk(0, text('seen'))
    const { head } = mine.publish()
    const witnessed = await carry(mine, head)
    for (const size of [2n ** 32n, 2n ** 64n - 2n, 2n ** 64n - 1n])
      witnessed.push(...(await carry(mine, signHead(mine.keys.signing, { ...head, size }))))
    const session = await read({ ...worldOf(mine), group, witnessed })
    expect(session.heads.map(({ verdict }) => verdict)).toEqual(['good', 'forked', 'forked', 'forked'])
    expect(Buffer.from(await session.bytes()).toString()).toBe('seen')
    // Nor is it told as one that says all that an honest head does.
    const { rpcUrl, registry } = chain.backend.endpoints
    const send = () => Promise.reject(new Error('nobody pays for it'))
    const again = anchorHead({ ...session.newestHead, chain: { rpcUrl, registry }, send })
    await expect(again).rejects.toMatchObject({ code: 'forked' })
  })
})
