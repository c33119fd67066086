import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeSessionsCall } from '../../../src/evidence/registry.ts'
import type { Cid, GroupId, SessionId, Sha256Hex } from '../../../src/protocol/ids.ts'
import type { Anchor, AnchorRequest } from '../../ports/anchor.ts'
import { evm } from './evm.ts'

const sessionId = '00000000-0000-4000-8000-000000000001' as SessionId
const registry = `0x${'5'.repeat(40)}`
const calm = new AbortController().signal

const anchorOf = (digit: string): AnchorRequest => ({
  sessionId,
  merkleRoot: digit.repeat(64) as Sha256Hex,
  manifestCid: `b${digit.repeat(58)}` as Cid,
  chunkCount: Number(digit),
  groupIds: [`0x${'1'.repeat(64)}` as GroupId],
})

const word = (value: number | string) =>
  (typeof value === 'number' ? value.toString(16) : value).padStart(64, '0')

/** What `sessions(bytes32)` returns, as the Solidity ABI encodes it. */
function encoded({ merkleRoot, manifestCid, chunkCount }: AnchorRequest): string {
  const text = Buffer.from(manifestCid).toString('hex')
  const padded = text.padEnd(Math.ceil(text.length / 64) * 64, '0')
  return `0x${[word('a'.repeat(40)), merkleRoot, word(6 * 32), word(chunkCount), word(1), word(2), word(manifestCid.length), padded].join('')}`
}
const NOBODY = `0x${[0, 0, 6 * 32, 0, 0, 0, 0].map(word).join('')}`

interface Answered {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** A node and a relay on one port: `/rpc` and `/relay`. */
class FakeChainServer {
  blockNumber = 10
  /** The registry's answer from each block on; before the first there is no registry. */
  answers = new Map<number, string>([[0, NOBODY]])
  rpcAnswer: Answered | undefined
  relayAnswer: Answered = { body: '{}' }
  readonly calls: { readonly method: string; readonly params: readonly unknown[] }[] = []
  readonly submitted: { readonly key: string | undefined; readonly body: unknown }[] = []
  readonly server = createServer((request, response) => {
    void this.answer(request).then(({ status = 200, headers = {}, body }) =>
      response.writeHead(status, headers).end(body),
    )
  })

  async answer(request: IncomingMessage): Promise<Answered> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = Buffer.concat(parts).toString()
    if (request.url === '/relay') {
      if (request.method === 'POST')
        this.submitted.push({
          key: request.headers['idempotency-key'] as string | undefined,
          body: JSON.parse(body) as unknown,
        })
      return this.relayAnswer
    }
    const call = JSON.parse(body) as { method: string; params: readonly unknown[] }
    this.calls.push(call)
    if (this.rpcAnswer) return this.rpcAnswer
    const result =
      call.method === 'eth_blockNumber' ? `0x${this.blockNumber.toString(16)}` : this.at(call.params[1])
    return { body: JSON.stringify({ jsonrpc: '2.0', id: 1, result }) }
  }

  at(block: unknown): string {
    const from = [...this.answers.keys()]
      .filter((first) => first <= Number(block))
      .toSorted((a, b) => b - a)[0]
    return (from !== undefined && this.answers.get(from)) || '0x'
  }

  get origin() {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }
}

let chain: FakeChainServer
let anchor: Anchor

beforeEach(async () => {
  chain = new FakeChainServer()
  await new Promise<void>((resolve) => {
    chain.server.listen(0, '127.0.0.1', resolve)
  })
  anchor = evm({ rpcUrl: `${chain.origin}/rpc`, registry, relayUrl: `${chain.origin}/relay` })
})
afterEach(() => {
  chain.server.closeAllConnections()
  chain.server.close()
})

const seen = ({ merkleRoot, manifestCid, chunkCount }: AnchorRequest) => ({
  merkleRoot,
  manifestCid,
  chunkCount,
})

describe('reading the chain', () => {
  it('finds nothing where nobody has registered the session', async () => {
    expect(await anchor.read(sessionId, calm)).toEqual({ blockNumber: 10 })
  })

  it('finds nothing before the registry was deployed', async () => {
    chain.answers = new Map()
    expect(await anchor.read(sessionId, calm)).toEqual({ blockNumber: 10 })
  })

  // Promise 3 of docs/guarantees.md.
  it('tells what only the newest block holds from what is deep', async () => {
    chain.answers.set(10, encoded(anchorOf('3')))
    const fresh = await anchor.read(sessionId, calm)
    expect(fresh.latest).toMatchObject(seen(anchorOf('3')))
    expect(fresh).not.toHaveProperty('deep')
    chain.blockNumber = 11
    const later = await anchor.read(sessionId, calm)
    expect(later).toMatchObject({ blockNumber: 11, latest: seen(anchorOf('3')), deep: seen(anchorOf('3')) })
  })

  it('tells a newer anchor from the deep one before it', async () => {
    chain.answers.set(5, encoded(anchorOf('3'))).set(10, encoded(anchorOf('4')))
    expect(await anchor.read(sessionId, calm)).toMatchObject({
      latest: seen(anchorOf('4')),
      deep: seen(anchorOf('3')),
    })
  })

  it.each([
    { depth: 1, blocks: [10, 10] },
    { depth: 2, blocks: [10, 9] },
    { depth: 5, blocks: [10, 6] },
    { depth: 11, blocks: [10, 0] },
    { depth: 12, blocks: [10] },
  ])('looks at depth $depth in blocks $blocks, all of one moment', async ({ depth, blocks }) => {
    chain.answers = new Map([[0, encoded(anchorOf('3'))]])
    const { read } = evm({ rpcUrl: `${chain.origin}/rpc`, registry, relayUrl: chain.origin, depth })
    await read(sessionId, calm)
    const calls = chain.calls.filter(({ method }) => method === 'eth_call')
    expect(calls.map(({ params }) => params)).toEqual(
      blocks.map((block) => [
        { to: registry, data: encodeSessionsCall(sessionId) },
        `0x${block.toString(16)}`,
      ]),
    )
  })

  it.each([
    { what: 'an error', answer: { body: '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no"}}' } },
    { what: 'no result', answer: { body: '{"jsonrpc":"2.0","id":1}' } },
    { what: 'no JSON', answer: { body: '<html>' } },
    { what: 'nothing', answer: { body: '' } },
    { what: 'null', answer: { body: 'null' } },
    { what: 'a result that is no record', answer: { body: '{"result":"0x12"}' } },
  ])('takes $what for a bad answer', async ({ answer }) => {
    chain.rpcAnswer = answer
    await expect(anchor.read(sessionId, calm)).rejects.toMatchObject({ code: 'bad-answer' })
  })

  it('passes on a failure of the node, with the wait that it asks for', async () => {
    chain.rpcAnswer = { status: 429, headers: { 'retry-after': '7' }, body: '' }
    await expect(anchor.read(sessionId, calm)).rejects.toMatchObject({
      code: 'throttled',
      retryAfterMs: 7_000,
    })
    chain.server.closeAllConnections()
    await new Promise((resolve) => {
      chain.server.close(resolve)
    })
    const away = evm({ rpcUrl: 'http://127.0.0.1:9/', registry, relayUrl: 'http://127.0.0.1:9/' })
    await expect(away.read(sessionId, calm)).rejects.toMatchObject({ code: 'unreachable' })
  })

  it('stops when it is told to', async () => {
    await expect(anchor.read(sessionId, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' })
  })
})

describe('the relay', () => {
  it('takes an anchor under a key that is the same for the same anchor only', async () => {
    await anchor.submit(anchorOf('3'), calm)
    await anchor.submit(anchorOf('3'), calm)
    await anchor.submit(anchorOf('4'), calm)
    const [first, second, third] = chain.submitted
    expect(first).toEqual({ key: `${sessionId}/${anchorOf('3').manifestCid}`, body: anchorOf('3') })
    expect(second).toEqual(first)
    expect(third?.key).not.toBe(first?.key)
  })

  it('tells the address that signs', async () => {
    const address = `0x${'aB'.repeat(20)}`
    chain.relayAnswer = { body: JSON.stringify({ address }) }
    expect(await anchor.uploader(calm)).toBe(address)
  })

  it.each(['{}', '{"address":7}', '{"address":"0x12"}', '[]', 'null', ''])(
    'does not name a signer by %s',
    async (body) => {
      chain.relayAnswer = { body }
      await expect(anchor.uploader(calm)).rejects.toMatchObject({ code: 'bad-answer' })
    },
  )

  it.each([
    { status: 400, code: 'anchor-rejected' },
    { status: 401, code: 'sign-in-needed' },
    { status: 422, code: 'anchor-rejected' },
    { status: 429, code: 'throttled' },
    { status: 503, code: 'server-error' },
  ])('answering $status is $code', async ({ status, code }) => {
    chain.relayAnswer = { status, headers: { 'retry-after': '7' }, body: 'Because.' }
    await expect(anchor.submit(anchorOf('3'), calm)).rejects.toMatchObject({
      code,
      message: expect.stringContaining('Because.') as unknown,
      ...(status >= 429 && { retryAfterMs: 7_000 }),
    })
  })
})
