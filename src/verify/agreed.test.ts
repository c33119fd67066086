import { describe, expect, it } from 'vitest'
import { collect } from '../../e2e/backend/exchange.ts'
import { serverOfTest } from '../../e2e/backend/server-of-test.ts'
import { agreed } from './agreed.ts'
import { listSessions } from './index.ts'
import { resultOf, type Chain } from './rpc.ts'

const registry = `0x${'ab'.repeat(20)}`

/** A node with this newest block and this answer to all else; undefined: it never answers. */
async function node(
  newest: number | undefined,
  says: (block: number) => unknown = () => 'the page',
): Promise<Chain> {
  const rpcUrl = await serverOfTest(async (request, response) => {
    const { id, method, params } = JSON.parse((await collect(request)).toString()) as {
      readonly id: number
      readonly method: string
      readonly params: readonly number[]
    }
    if (newest === undefined) return
    const result = method === 'eth_blockNumber' ? `0x${newest.toString(16)}` : says(params[0]!)
    if (result === undefined) return
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  })
  return { rpcUrl, registry }
}

const said = (chains: readonly Chain[], agree: number, block?: number, signal?: AbortSignal) =>
  agreed(chains, agree, block, { timeoutMs: 240_000, signal }, async (chain, at, limits) => ({
    at,
    page: await resultOf(chain, 'page', [at], limits),
  }))

describe('several nodes', () => {
  it('that say the same are believed, and no other is waited for', async () => {
    const chains = [await node(undefined), await node(100), await node(100)]
    expect(await said(chains, 2)).toEqual({ at: 100, page: 'the page' })
    const late = [await node(100, () => undefined), await node(100), await node(100)]
    expect(await said(late, 2)).toEqual({ at: 100, page: 'the page' })
  })

  it('of which one keeps something back are believed without it', async () => {
    const chains = [await node(100, () => 'less'), await node(100), await node(100)]
    expect(await said(chains, 2)).toEqual({ at: 100, page: 'the page' })
  })

  it('of which one is a little behind are asked about the newest block that enough have', async () => {
    expect(await said([await node(98), await node(100)], 2)).toEqual({ at: 98, page: 'the page' })
    expect(await said([await node(98), await node(100), await node(99)], 2)).toMatchObject({ at: 99 })
  })

  it('of which one tells of an old block, in which there was nothing yet, are not believed', async () => {
    const hides = await node(1, () => 'nothing')
    const fine = await node(5_000, (block) => (block === 1 ? 'nothing' : 'the page'))
    await expect(said([hides, fine], 2)).rejects.toMatchObject({ code: 'chain-answer' })
    expect(await said([hides, fine, await node(5_000)], 2)).toMatchObject({ page: 'the page' })
  })

  it('of which one makes up a block far ahead of all are believed without it', async () => {
    const ahead = await node(2 ** 50)
    const chains = [ahead, await node(100), await node(98)]
    expect(await said(chains, 2)).toEqual({ at: 98, page: 'the page' })
    await expect(said([ahead, await node(100)], 2)).rejects.toMatchObject({ code: 'chain-answer' })
  })

  it('that contradict each other are told as that; one of them is enough where the caller says so', async () => {
    const chains = [await node(100, () => 'less'), await node(100)]
    await expect(said(chains, 2)).rejects.toMatchObject({ code: 'chain-answer', class: 'refused' })
    expect(await said(chains.slice(1), 1)).toMatchObject({ page: 'the page' })
  })

  it('of which too few can be read are told as that', async () => {
    const dead = { rpcUrl: 'http://127.0.0.1:1/', registry }
    await expect(said([dead, await node(100)], 2)).rejects.toMatchObject({ code: 'chain-unreachable' })
  })

  it('are all asked about a block that is given', async () => {
    expect(await said([await node(100), await node(90)], 2, 70)).toEqual({ at: 70, page: 'the page' })
  })

  it('are asked no more once the caller aborts', async () => {
    const caller = new AbortController()
    const reading = said([await node(undefined), await node(undefined)], 2, undefined, caller.signal)
    caller.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
  })
})

it.each([0, 3, 1.5])('a list that %s of two nodes must tell is refused', async (agree) => {
  const chain = { rpcUrls: ['http://127.0.0.1:1/', 'http://127.0.0.1:2/'], registry }
  const list = listSessions({ chain, agree, group: { publicKey: 'ab'.repeat(32) } })
  await expect(list).rejects.toMatchObject({ code: 'bad-input' })
})

it('a node that is named twice is one: two of it agree on nothing', async () => {
  const { rpcUrl } = await node(100)
  const chain = { rpcUrls: [rpcUrl, rpcUrl.replace('http', 'HTTP').replace(/\/?$/, '/')], registry }
  const list = listSessions({ chain, agree: 2, group: { publicKey: 'ab'.repeat(32) } })
  await expect(list).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining('agree') as string,
  })
})
