import { expect, it } from 'vitest'
import { collect } from '../../e2e/backend/exchange.ts'
import { serverOfTest } from '../../e2e/backend/server-of-test.ts'
import { takesWhole } from '../../e2e/test-size.ts'
import { groupTag } from '../evidence/group-key.ts'
import type { SessionName } from '../protocol/ids.ts'
import { listSessions } from './index.ts'

const word = (value: number) => value.toString(16).padStart(64, '0')

interface Asked {
  readonly id: number
  readonly method: string
  readonly params: readonly { readonly data?: string }[]
}

/** The address of a node that answers each method, and what is called by it, so. */
const nodeThat = (answer: (method: string, data: string) => unknown) =>
  serverOfTest(async (request, response) => {
    const { id, method, params } = JSON.parse((await collect(request)).toString()) as Asked
    const result = answer(method, params[0]?.data ?? '')
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  })

if (takesWhole())
  it('a page of members that a node makes up comes to an end, and says where the next one begins', async () => {
    const counted = 2 ** 53 - 1
    const rpcUrl = await nodeThat((method, data) => {
      const asked = Number(`0x${data.slice(-64)}`)
      const members = () => word(32) + word(asked) + 'ab'.repeat(64 * asked)
      const told = data.startsWith('0x9f70ed81') ? word(counted) : members()
      return method === 'eth_blockNumber' ? '0x9' : `0x${told}`
    })
    const list = listSessions({
      chain: { rpcUrl, registry: `0x${'ab'.repeat(20)}` },
      group: { publicKey: 'ab'.repeat(32) },
      timeoutMs: 240_000,
    })
    const { sessions, strangers, next } = await list
    expect(sessions).toEqual([])
    expect(strangers).toBeGreaterThanOrEqual(10_000)
    expect(next).toEqual({ before: counted - strangers, blockNumber: 9 })
  })

it('a time that no registry holds, and no Date knows, is told as the node’s mistake', async () => {
  const publicKey = 'ab'.repeat(32)
  const name = 'cd'.repeat(32)
  const tag = await groupTag(publicKey, name as SessionName)
  const session = [name, name, word(1), word(1), word(5), word(7), word(1_800_000_000), word(0)].join('')
  const answers: Readonly<Record<string, string>> = {
    '9f70ed81': word(1),
    '34401b5c': word(32) + word(1) + name + tag,
    '7dbd2832': session,
  }
  const list = async (timestamp: number) => {
    const rpcUrl = await nodeThat((method, data) => {
      const told: Readonly<Record<string, unknown>> = {
        eth_blockNumber: '0x9',
        eth_call: `0x${answers[data.slice(2, 10)]}`,
        eth_getBlockByNumber: { number: '0x5', timestamp: `0x${timestamp.toString(16)}` },
      }
      return told[method]
    })
    const chain = { rpcUrl, registry: `0x${'ab'.repeat(20)}` }
    return listSessions({ chain, group: { publicKey }, timeoutMs: 240_000 })
  }
  expect((await list(1_800_000_000)).sessions).toMatchObject([{ name, firstAnchoredAtMs: 1_800_000_000_000 }])
  for (const timestamp of [1_800_000_001, 2 ** 40, 2 ** 53 - 1])
    await expect(list(timestamp)).rejects.toMatchObject({ code: 'chain-answer' })
})
