import { afterEach, describe, expect, test, vi } from 'vitest'
import { evm } from './evm.ts'
import { evmNodes } from './nodes.ts'
import { createDrain } from '../../engine/drain.ts'
import type { Anchor } from '../../ports/anchor.ts'
import { CHAIN_ID, encoded, REGISTRY } from '../../testing/fake-chain-server.ts'
import { cidOf, createWorld, recordSession, sessionIdOf } from '../../testing/world.ts'
import { sampleOf } from '../../../e2e/test-size.ts'

// Promise 3 of docs/guarantees.md. The whole engine over `evm`, against each answer of a node or relay that public reports
// and documents of providers tell of, given for ever: nothing is deleted that the chain does not hold, it is told within two
// minutes what is wrong, and once node and relay are in order all is confirmed.

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const NODE = 'https://node.example'
const RELAY = 'https://relay.example'
/** Nodes that always answer as they should. */
const HONEST = 'https://honest.example'
const BLOCK_MS = 2_000
const TWO_MINUTES_MS = 120_000
const NOBODY = `0x${'0'.repeat(8 * 64)}`
const id = sessionIdOf(1)

interface Call {
  /** Of the node; `relay` of the relay. */
  readonly method: string
  readonly honest: () => unknown
}
/** Instead of the own answer; undefined: that. */
type Rude = (call: Call) => Response | 'cut' | undefined

type Head = Parameters<typeof encoded>[0]['head']

/** A recording of one chunk, whose store is in order, and a chain that answers so. */
async function scene(rude: Rude, anchorOver: (url: string) => Anchor = one) {
  const world = createWorld()
  const { clock } = world
  const beganMs = clock.now()
  // By which the anchor keeps the wait of a relay.
  vi.spyOn(performance, 'now').mockImplementation(() => clock.now() - beganMs)
  const newest = () => 100 + Math.floor((clock.now() - beganMs) / BLOCK_MS)
  const mined: { readonly block: number; readonly head: Head }[] = []
  const chain = { rude, handedOver: 0 }

  const resultOf = (method: string, params: readonly unknown[]): unknown => {
    if (method === 'eth_chainId') return `0x${CHAIN_ID.toString(16)}`
    if (method === 'eth_getLogs') return []
    if (method === 'eth_blockNumber') return `0x${newest().toString(16)}`
    const seen = mined.filter(({ block }) => block <= Number(params[1]))
    const held = seen.toSorted((a, b) => b.head.size - a.head.size)[0]
    return held ? encoded({ head: held.head, groups: [] }, held.block) : NOBODY
  }

  vi.stubGlobal('fetch', async (url: string, { body }: { body: string }) => {
    const asked = JSON.parse(body) as Head & { method: string; params: unknown[] }
    const isRelay = url.startsWith(RELAY)
    if (isRelay) chain.handedOver += 1
    const honest = (): unknown => {
      if (!isRelay) return { jsonrpc: '2.0', id: 1, result: resultOf(asked.method, asked.params) }
      mined.push({ block: newest() + 1, head: asked })
      return { transactionHash: `0x${'9'.repeat(64)}` }
    }
    const isHonest = url.startsWith(HONEST)
    const rudely = isHonest ? undefined : chain.rude({ method: isRelay ? 'relay' : asked.method, honest })
    const answer = rudely ?? says(200, honest())
    if (answer === 'cut') throw new TypeError('Failed to fetch')
    return answer
  })

  await recordSession(world, { chunks: 1 })
  const [chunk] = await world.chunks(id)
  const { lifetime, ...context } = world.worker()
  const drain = createDrain({ ...context, anchor: anchorOver(NODE) })
  return {
    chain,
    lifetime,
    async passes(ms: number) {
      void drain.join('message')
      await clock.advance(ms)
    },
    isUploaded: () => world.server.stored.has(cidOf(chunk)),
    status: async () => (await world.statuses(id))[0],
    hasBytes: async () => !!chunk && (await world.hasPayload(chunk)),
    trouble: async () => (await world.session(id)).trouble?.error,
  }
}

const one = (rpcUrl: string): Anchor =>
  evm({ rpcUrl, registry: REGISTRY, relayUrl: RELAY, chainId: CHAIN_ID })

const says = (status: number, body: unknown = '', headers: Record<string, string> = {}) =>
  new Response(status === 204 ? null : typeof body === 'string' ? body : JSON.stringify(body), {
    status,
    headers,
  })
const at =
  (
    method: string | readonly string[],
    status: number,
    body?: unknown,
    headers?: Record<string, string>,
  ): Rude =>
  (call) =>
    [method].flat().includes(call.method) ? says(status, body, headers) : undefined
const result =
  (method: string, value: unknown): Rude =>
  (call) =>
    call.method === method ? says(200, { jsonrpc: '2.0', id: 1, result: value }) : undefined
const error = (
  code: number | string,
  message: string,
  status = 200,
  methods: readonly string[] = NODE_METHODS,
): Rude => at(methods, status, { jsonrpc: '2.0', id: 1, error: { code, message } })

const NODE_METHODS = ['eth_chainId', 'eth_blockNumber', 'eth_call', 'eth_getLogs']
const CALL = ['eth_call']

const NODES: Readonly<Record<string, Rude>> = {
  'Infura: -32005, daily request count exceeded': error(
    -32_005,
    'daily request count exceeded, request rate limited',
  ),
  'Infura: 402 over its plan': at(NODE_METHODS, 402, {
    jsonrpc: '2.0',
    error: { code: -32_005, message: 'Payment required' },
  }),
  'Infura: 403 by an allow-list': at(NODE_METHODS, 403, {
    jsonrpc: '2.0',
    error: { code: -32_002, message: 'rejected due to project ID settings' },
  }),
  'Infura: 401, project ID required': at(NODE_METHODS, 401, 'invalid project id\n'),
  'Alchemy: 429 in its error, 200': error(
    429,
    'Your app has exceeded its compute units per second capacity.',
  ),
  'Alchemy: 429 with JSON': error(429, 'Your app has exceeded its compute units per second capacity.', 429),
  'Alchemy: 401, must be authenticated': error(-32_600, 'Must be authenticated!', 401),
  'Alchemy: app is inactive': error(-32_600, 'App is inactive', 403),
  'Ankr: -32052, not allowed': error(-32_052, 'API key is not allowed to access blockchain', 403),
  'QuickNode: -32007, per second': error(-32_007, '50/second request limit reached', 429),
  'QuickNode: -32012, credits': error(-32_012, 'credits limited to 6000/sec'),
  'TheRPC: -32029': error(-32_029, 'Too Many Requests, reach out to support'),
  'dRPC: code 30, timeout on the free tier': error(
    30,
    'Request timeout on the free tier, please upgrade your tier to the paid one',
  ),
  'dRPC: no suitable provider': error(12, "Can't route your request to suitable provider"),
  'publicnode: -32701, an address is needed': error(
    -32_701,
    'Please specify an address in your request',
    200,
    CALL,
  ),
  'cloudflare-eth: -32046': error(-32_046, 'Cannot fulfill request'),
  'llamarpc: 502 with a page': at(NODE_METHODS, 502, '<html><title>502 Bad Gateway</title></html>'),
  'public node: 200 with a page': at(NODE_METHODS, 200, '<!doctype html><title>Just a moment...</title>'),
  'public node: 403 with a page': at(NODE_METHODS, 403, '<!doctype html><title>Just a moment...</title>'),
  'public node: 410, it is no more': at(NODE_METHODS, 410, 'This endpoint has been shut down'),
  'public node: 405': at(NODE_METHODS, 405, 'Method Not Allowed'),
  'public node: 413': at(NODE_METHODS, 413, 'Request Entity Too Large'),
  'geth: header not found': error(-32_000, 'header not found', 200, CALL),
  'geth: missing trie node': error(
    -32_000,
    'missing trie node 1f2e (path ) state 0x is not available',
    200,
    CALL,
  ),
  'geth: historical state is not available': error(
    -32_000,
    'historical state 1f2e is not available',
    200,
    CALL,
  ),
  'geth: execution reverted': error(3, 'execution reverted', 200, CALL),
  'geth: the method does not exist': error(
    -32_601,
    'the method eth_call does not exist/is not available',
    200,
    CALL,
  ),
  'erigon: block not found': error(-32_000, 'block not found: 1234', 200, CALL),
  'nethermind: pruned': error(-32_002, 'No state available for block 0x12', 200, CALL),
  'besu: world state unavailable': error(-32_000, 'World state unavailable', 200, CALL),
  'parity: -32015 VM execution error': error(-32_015, 'VM execution error', 200, CALL),
  'a node that syncs: block 0': result('eth_blockNumber', '0x0'),
  'a node that stands at its block': result('eth_blockNumber', '0x64'),
  'a node of another chain': result('eth_chainId', '0x1'),
  'a node of a fork without the registry': result('eth_call', '0x'),
  'a node of a fork that has no head': result('eth_call', NOBODY),
  'a node that answers null': result('eth_call', null),
  'a node that answers null of its block': result('eth_blockNumber', null),
  'a node that answers a number instead of a string': result('eth_blockNumber', 123),
  'a node that answers its chain as a number': result('eth_chainId', CHAIN_ID),
  'a node that answers an empty object': result('eth_call', {}),
  'a node that answers its id as a string': ({ method, honest }) =>
    NODE_METHODS.includes(method) ? says(200, { ...(honest() as object), id: '1' }) : undefined,
  'a node that answers in a list': ({ method, honest }) =>
    NODE_METHODS.includes(method) ? says(200, [honest()]) : undefined,
  'a node that answers nothing': at(NODE_METHODS, 200, ''),
  'a node that answers 204': at(NODE_METHODS, 204),
  'a node whose CORS hides each answer': ({ method }) => (NODE_METHODS.includes(method) ? 'cut' : undefined),
}

const relay = (body: unknown, status = 200, headers?: Record<string, string>): Rude =>
  at('relay', status, body, headers)

/** Words of a success, or none that anybody could know for a failure: only the chain tells. */
const IN_VAIN: Readonly<Record<string, Rude>> = {
  'takes it, and names no transaction': relay({}),
  'takes it into a queue': relay({ status: 'queued', id: '7' }, 202),
  'takes it, hash: null': relay({ transactionHash: null }),
  'names a transaction that no node has': relay({ transactionHash: `0x${'1'.repeat(64)}` }),
  'says in a message alone that it has no funds': relay({
    message: 'insufficient funds for gas * price + value',
  }),
  'says so by a code and a message': relay({ code: -32_000, message: 'insufficient funds' }),
  'says so by a status in its body': relay({ statusCode: 500, message: 'Internal server error' }),
  'says that it failed': relay({ failed: true }),
  'says that it was dropped': relay({ result: { status: 'dropped' } }),
}

const RELAYS: Readonly<Record<string, Rude>> = {
  'names a transaction on a chain of its own': relay({ chainId: 1, transactionHash: `0x${'1'.repeat(64)}` }),
  'says that its nonce is too low': relay({ error: { code: -32_000, message: 'nonce too low' } }),
  'says that it is already known': relay({ error: { code: -32_000, message: 'already known' } }),
  'says that it is underpriced': relay({ error: { message: 'replacement transaction underpriced' } }),
  '400 with words': relay({ error: 'bad signature' }, 400),
  '402': relay({ error: 'no funds' }, 402),
  '403': relay({ error: 'forbidden' }, 403),
  '409 for ever': relay({ error: 'conflict' }, 409),
  '429 without Retry-After': relay('Too many requests', 429),
  '500 for ever': relay('', 500),
  '503 with Retry-After': relay('', 503, { 'retry-after': '45' }),
  'a page, 200': relay('<!doctype html><title>Welcome</title>'),
  'nothing, 200': relay(''),
  'nothing, 204': relay('', 204),
  'a redirect': relay('', 302, { location: 'https://elsewhere.example/' }),
  'takes it, and CORS hides that': ({ method }) => (method === 'relay' ? 'cut' : undefined),
}

const expectTold = async (told: { readonly code: string; readonly message: string } | undefined) => {
  expect(told).toBeDefined()
  expect(told?.code).not.toBe('defect')
  expect(told?.message).not.toBe('')
}

describe('a node that always answers so is told within two minutes, and nothing is deleted on its word', () => {
  test.each(sampleOf(Object.entries(NODES)))('%s', async (_, rude) => {
    const { chain, passes, isUploaded, status, hasBytes, trouble, lifetime } = await scene(rude)
    await passes(TWO_MINUTES_MS)
    expect(isUploaded()).toBe(true)
    await expectTold(await trouble())
    expect(await status()).not.toBe('confirmed')
    expect(await hasBytes()).toBe(true)
    chain.rude = () => undefined
    for (let look = 0; look < 30 && (await status()) !== 'confirmed'; look += 1) await passes(TWO_MINUTES_MS)
    lifetime.die()
    expect(await status()).toBe('confirmed')
    expect(await hasBytes()).toBe(false)
  })
})

describe('a node that always answers so, beside two that are in order, holds nothing up', () => {
  test.each(sampleOf(Object.entries(NODES)))('%s', async (_, rude) => {
    const { passes, status, hasBytes, lifetime } = await scene(rude, (rpcUrl) =>
      evmNodes({
        rpcUrls: [rpcUrl, `${HONEST}/1`, `${HONEST}/2`],
        registry: REGISTRY,
        relayUrl: RELAY,
        chainId: CHAIN_ID,
      }),
    )
    await passes(TWO_MINUTES_MS)
    lifetime.die()
    expect(await status()).toBe('confirmed')
    expect(await hasBytes()).toBe(false)
  })
})

test('a node behind a balancer, of whose two machines one always fails, holds nothing up', async () => {
  let turn = 0
  const { passes, status, lifetime } = await scene(({ method }) =>
    NODE_METHODS.includes(method) && turn++ % 2 ? says(500, 'upstream failed') : undefined,
  )
  await passes(30_000)
  lifetime.die()
  expect(await status()).toBe('confirmed')
})

describe('a relay that always answers so is told within two minutes, and is not handed the same without end', () => {
  test.each(sampleOf(Object.entries(RELAYS)))('%s', async (_, rude) => {
    const { chain, passes, status, hasBytes, trouble, lifetime } = await scene(rude)
    await passes(TWO_MINUTES_MS)
    await expectTold(await trouble())
    expect(await status()).not.toBe('confirmed')
    expect(await hasBytes()).toBe(true)
    expect(chain.handedOver).toBeLessThan(10)
    chain.rude = () => undefined
    for (let look = 0; look < 30 && (await status()) !== 'confirmed'; look += 1) await passes(TWO_MINUTES_MS)
    lifetime.die()
    expect(await status()).toBe('confirmed')
  })

  test.each(sampleOf(Object.entries(IN_VAIN)))(
    '%s: counts as taken until the chain was looked at',
    async (_, rude) => {
      const { chain, passes, status, hasBytes, trouble, lifetime } = await scene(rude)
      await passes(TWO_MINUTES_MS)
      expect(await trouble()).toMatchObject({ code: 'anchor-unseen' })
      expect(await hasBytes()).toBe(true)
      expect(chain.handedOver).toBe(3)
      chain.rude = () => undefined
      for (let look = 0; look < 30 && (await status()) !== 'confirmed'; look += 1)
        await passes(TWO_MINUTES_MS)
      lifetime.die()
      expect(await status()).toBe('confirmed')
    },
  )

  test('asks for an hour each time: it gets it, and the chain is read meanwhile', async () => {
    const asks: Rude = ({ method, honest }) => {
      if (method !== 'relay') return undefined
      honest()
      return says(503, '', { 'retry-after': '3600' })
    }
    const { chain, passes, status, lifetime } = await scene(asks)
    await passes(30_000)
    lifetime.die()
    expect(await status()).toBe('confirmed')
    expect(chain.handedOver).toBe(1)
  })

  test.each([
    'nonce too low',
    'already known',
    'replacement transaction underpriced',
    'nonce has already been used',
  ])('says “%s” of what is under way: it is told, and confirmed by what the chain holds', async (message) => {
    for (const code of [200, 400, 409, 500]) {
      const { passes, status, trouble, lifetime } = await scene(({ method, honest }) => {
        if (method !== 'relay') return undefined
        honest()
        return says(code, { error: { code: -32_000, message } })
      })
      await passes(1_000)
      expect(await trouble()).toMatchObject({ code: 'anchor-unseen' })
      await passes(30_000)
      lifetime.die()
      expect(await status()).toBe('confirmed')
    }
  })

  test('but brings the head all the same: it is confirmed by what the chain holds', async () => {
    const { passes, status, lifetime } = await scene(({ method, honest }) => {
      if (method !== 'relay') return undefined
      honest()
      return says(200, {})
    })
    await passes(TWO_MINUTES_MS)
    lifetime.die()
    expect(await status()).toBe('confirmed')
  })
})

test('with neither a relay nor an account it is told at once, as a wrong input', async () => {
  const { passes, trouble, lifetime } = await scene(
    () => undefined,
    (rpcUrl) => evm({ rpcUrl, registry: REGISTRY, relayUrl: [], chainId: CHAIN_ID }),
  )
  await passes(5_000)
  lifetime.die()
  expect(await trouble()).toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining('relayUrl') as unknown,
  })
})
