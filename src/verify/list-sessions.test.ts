import { expect, it } from 'vitest'
import { collect } from '../../e2e/backend/exchange.ts'
import { serverOfTest } from '../../e2e/backend/server-of-test.ts'
import { listSessions } from './index.ts'

const word = (value: number) => value.toString(16).padStart(64, '0')

it('a page of members that a node makes up comes to an end, and says where the next one begins', async () => {
  const counted = 2 ** 53 - 1
  const rpcUrl = await serverOfTest(async (request, response) => {
    const { id, method, params } = JSON.parse((await collect(request)).toString()) as {
      readonly id: number
      readonly method: string
      readonly params: readonly { readonly data: string }[]
    }
    const { data = '' } = { ...params[0] }
    const asked = Number(`0x${data.slice(-64)}`)
    const members = () => word(32) + word(asked) + 'ab'.repeat(64 * asked)
    const told = data.startsWith('0x9f70ed81') ? word(counted) : members()
    const result = method === 'eth_blockNumber' ? '0x9' : `0x${told}`
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
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
