import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { wordOf } from '../../src/evidence/registry.ts'
import { evm, type EvmOptions } from '../../sw/adapters/anchors/evm.ts'
import { evmNodes } from '../../sw/adapters/anchors/nodes.ts'
import { ANCHOR_CONTRACT, type AnchorHarness } from '../../sw/contracts/anchor.contract.ts'
import { signedSession } from '../../sw/contracts/signed-session.ts'
import type { Anchor, AnchorRequest } from '../../sw/ports/anchor.ts'
import type { Backend, Fault } from './index.ts'
import { receiptOf, relay, relayBody } from './relay-client.ts'
import { sandbox, type Sandbox } from './sandbox.ts'

// Promise 3 of docs/guarantees.md: the adapters against a chain, its registry and a relay, all real.

const neverAborted = new AbortController().signal
const EMPTY_ADDRESS = `0x${'5'.repeat(40)}`

let box: Sandbox
let backend: Backend
/** Nodes that stand in front of the real one, and are not as they should be. */
const nodes: Server[] = []

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterEach(() => {
  backend.faults.clear()
  for (const node of nodes.splice(0)) node.close()
})
afterAll(() => box.clear())

const optionsWith = (options: Partial<EvmOptions> = {}): EvmOptions => {
  const { rpcUrl, relayUrl, registry, chainId } = backend.endpoints
  return { rpcUrl, relayUrl, registry, chainId, ...options }
}

/** All of them must agree. */
const nodesWith = (rpcUrls: readonly string[], options: Partial<EvmOptions> = {}): Anchor => {
  const { rpcUrl: _, chainId = 0, ...others } = optionsWith(options)
  return evmNodes({ ...others, chainId, rpcUrls, agree: 2 })
}

function harness(anchorWith: (options: Partial<EvmOptions>) => Anchor): AnchorHarness {
  const since = backend.ledger.all().length
  let options: Partial<EvmOptions> = {}
  const relayAnswers = (fault: Fault) => {
    backend.faults.clear()
    backend.faults.add({ service: 'relay', ...fault })
  }
  return {
    anchor: () => anchorWith(options),
    async mine(request) {
      expect(await relay(backend, relayBody(request))).toMatchObject({ status: 200 })
      await backend.chain.mine()
    },
    deepen: () => backend.chain.mine(),
    async fault(fault) {
      const refused = '{"error":{"code":-32000,"message":"header not found"}}'
      if (fault === 'no-registry') options = { registry: EMPTY_ADDRESS }
      else if (fault === 'read-refused')
        backend.faults.add({ service: 'chain', kind: 'status', status: 400, body: refused })
      else if (fault === 'relay-refuses') relayAnswers({ kind: 'status', status: 422, body: 'BadSignature' })
      else if (fault === 'relay-fails')
        relayAnswers({ kind: 'status', status: 200, body: '{"error":"insufficient funds for gas"}' })
      else relayAnswers({ kind: 'lie' })
    },
    handedOver: () =>
      backend.ledger
        .all()
        .slice(since)
        .flatMap(({ service, method, key }) => (service === 'relay' && method === 'POST' ? [key] : [])),
  }
}

describe('the contract of anchors, by one node', () => {
  for (const { title, run } of ANCHOR_CONTRACT)
    it(title, () => run(harness((options) => evm(optionsWith(options)))))
})

describe('the contract of anchors, by two nodes', () => {
  for (const { title, run } of ANCHOR_CONTRACT)
    it(title, () =>
      run(
        harness((options) => {
          const { rpcUrl } = backend.endpoints
          return nodesWith([rpcUrl, `${rpcUrl}?again`], options)
        }),
      ),
    )
})

/** A node of this chain whose results are changed on their way. */
async function nodeThat(change: (method: string, result: string) => string): Promise<string> {
  const node = createServer((request, response) => {
    void (async () => {
      const { method, params } = (await json(request)) as {
        method: string
        params: unknown[]
      }
      const result = await backend.chain.rpc(method, params)
      response.end(
        JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          result: typeof result === 'string' ? change(method, result) : result,
        }),
      )
    })().catch(() => response.destroy())
  })
  nodes.push(node)
  await new Promise<void>((resolve) => {
    node.listen(0, '127.0.0.1', resolve)
  })
  return `http://127.0.0.1:${(node.address() as AddressInfo).port}`
}

const lagging = (blocks: number) =>
  nodeThat((method, result) =>
    method === 'eth_blockNumber' ? `0x${(Number(result) - blocks).toString(16)}` : result,
  )

const lying = () =>
  nodeThat((method, result) =>
    method === 'eth_call' ? `0x${'f'.repeat(64)}${'e'.repeat(64)}${wordOf(99)}${result.slice(194)}` : result,
  )

/** A head that two blocks hold. */
async function aDeepHead(): Promise<AnchorRequest> {
  const request = await (await signedSession()).request(3)
  await relay(backend, relayBody(request))
  await backend.chain.mine(2)
  return request
}

describe('a node', () => {
  it('that lags says less, and nothing that is not so', async () => {
    const { head } = await aDeepHead()
    const late = (blocks: number) =>
      lagging(blocks).then((rpcUrl) => evm(optionsWith({ rpcUrl })).read(head.name, neverAborted))
    expect(await late(1)).toMatchObject({ latest: { size: 3, root: head.root } })
    expect((await late(1)).deep).toBeUndefined()
    expect((await late(2)).latest).toBeUndefined()
  })

  it('that lies is outvoted by two others, and alone proves nothing with one', async () => {
    const { head } = await aDeepHead()
    const { rpcUrl } = backend.endpoints
    const liar = await lying()
    const anchor = nodesWith([liar, rpcUrl, backend.chain.url])
    const honest = { size: 3, root: head.root }
    expect(await anchor.read(head.name, neverAborted)).toMatchObject({ latest: honest, deep: honest })
    await expect(nodesWith([liar, rpcUrl]).read(head.name, neverAborted)).rejects.toMatchObject({
      code: 'nodes-disagree',
    })
  })

  it('of another chain, or without the registry, is told by that', async () => {
    const { head } = await aDeepHead()
    await expect(evm(optionsWith({ chainId: 1 })).read(head.name, neverAborted)).rejects.toMatchObject({
      code: 'wrong-chain',
    })
    await expect(
      evm(optionsWith({ registry: EMPTY_ADDRESS })).read(head.name, neverAborted),
    ).rejects.toMatchObject({
      code: 'wrong-chain',
    })
  })

  it.each(['safe', 'finalized'] as const)('tells what the chain calls %s', async (depth) => {
    const { head } = await aDeepHead()
    const anchor = evm(optionsWith({ depth }))
    const block = (await backend.chain.rpc('eth_getBlockByNumber', [depth, false])) as { number: string }
    const { latest, deep } = await anchor.read(head.name, neverAborted)
    expect(deep !== undefined).toBe(Number(block.number) >= (latest?.blockNumber ?? Infinity))
    await backend.chain.mine(200)
    expect(await anchor.read(head.name, neverAborted)).toMatchObject({ deep: { size: 3, root: head.root } })
  })
})

describe('a relay', () => {
  it('of another chain is told at once, by what it says itself', async () => {
    const elsewhere = await sandbox()
    try {
      const { endpoints } = await elsewhere.start({ chainId: 31_338 })
      const { relayUrl, rpcUrl } = endpoints
      const request = await (await signedSession()).request(3)
      for (const anchor of [
        evm(optionsWith({ relayUrl })),
        nodesWith([backend.endpoints.rpcUrl, backend.chain.url], { relayUrl }),
      ])
        await expect(anchor.submit(request, neverAborted)).rejects.toMatchObject({
          code: 'wrong-chain',
          message: expect.stringContaining('evm:31338:') as unknown,
        })
      // Where all are of that chain, it is the right one.
      await evm({ relayUrl, rpcUrl, registry: endpoints.registry, chainId: 31_338 }).submit(
        request,
        neverAborted,
      )
    } finally {
      await elsewhere.clear()
    }
  })

  it('for another registry is told at once', async () => {
    const request = await (await signedSession()).request(3)
    await expect(
      evm(optionsWith({ registry: EMPTY_ADDRESS })).submit(request, neverAborted),
    ).rejects.toMatchObject({
      code: 'wrong-chain',
    })
  })
})

describe('the transaction of a head', () => {
  it('is the one that the relay made, in the block that the node has it in', async () => {
    const request = await (await signedSession()).request(3)
    const { transactionHash } = await relay(backend, relayBody(request))
    await backend.chain.mine()
    const anchor = evm(optionsWith())
    const { latest } = await anchor.read(request.head.name, neverAborted)
    if (latest === undefined) throw new Error('Nothing in the newest block')
    const { blockNumber: at } = latest
    const [event] = await anchor.events(request.head.name, at, at, neverAborted)
    const mined = await receiptOf(backend, transactionHash)
    const block = (await backend.chain.rpc('eth_getBlockByNumber', [mined?.blockNumber, false])) as {
      hash: string
      timestamp: string
    }
    expect(event?.receipt).toEqual({ transactionHash, blockHash: block.hash })
    expect(latest).toMatchObject({
      blockNumber: Number(mined?.blockNumber),
      blockAtMs: 1_000 * Number(block.timestamp),
    })
  })
})

describe('a relay', () => {
  it.each<[string, Fault]>([
    ['is down', { kind: 'down' }],
    ['fails', { kind: 'status', status: 503 }],
    ['asks for less', { kind: 'status', status: 429, retryAfter: 600 }],
    ['says under 200 that it has no funds', { kind: 'status', status: 200, body: '{"error":"no funds"}' }],
    ['answers nothing', { kind: 'empty' }],
  ])('that %s gives way to the next one, which pays', async (_, fault) => {
    const { relayUrl } = backend.endpoints
    backend.faults.add({ service: 'relay', match: 'first', ...fault })
    const anchor = evm(optionsWith({ relayUrl: [`${relayUrl}?first`, `${relayUrl}?second`] }))
    const request = await (await signedSession()).request(1)
    await anchor.submit(request, neverAborted)
    await backend.chain.mine()
    const { head } = request
    expect(await anchor.read(head.name, neverAborted)).toMatchObject({ latest: { size: 1, root: head.root } })
    const alone = evm(optionsWith({ relayUrl: `${relayUrl}?first` }))
    await expect(alone.submit(request, neverAborted)).rejects.toThrow()
  })
})
