import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ANCHOR_CONTRACT } from '../../contracts/anchor.contract.ts'
import { encodeSessionsCall } from '../../../src/evidence/registry.ts'
import type { Anchor } from '../../ports/anchor.ts'
import {
  anchorHarness,
  anchorOf,
  CHAIN_ID,
  encoded,
  FakeChainServer,
  recordOf,
  REGISTRY,
  rpcError,
  SESSION_ID,
  SIGNER,
} from '../../testing/fake-chain-server.ts'
import { evm, type EvmOptions } from './evm.ts'

// Promise 3 of docs/guarantees.md.

const calm = new AbortController().signal

let chain: FakeChainServer
let anchor: Anchor

const anchorWith = (options: Partial<EvmOptions> = {}) =>
  evm({ rpcUrl: chain.rpcUrl, relayUrl: chain.relayUrl, registry: REGISTRY, ...options })

beforeEach(async () => {
  chain = await FakeChainServer.listening()
  anchor = anchorWith()
})
afterEach(() => chain.close())

describe('the contract of anchors', () => {
  for (const { title, run } of ANCHOR_CONTRACT)
    it(title, () => run(anchorHarness([chain], () => anchorWith())))
})

describe('reading the chain', () => {
  it('finds nothing where nobody has registered the session', async () => {
    expect(await anchor.read(SESSION_ID, calm)).toEqual({ blockNumber: 10 })
  })

  it('finds nothing deep where the registry is younger than that', async () => {
    chain.answers = new Map([[10, encoded(anchorOf('3'))]])
    expect(await anchor.read(SESSION_ID, calm)).toEqual({
      blockNumber: 10,
      latest: recordOf(anchorOf('3')),
    })
  })

  it('names the address where the newest block has no contract there', async () => {
    chain.answers = new Map()
    await expect(anchor.read(SESSION_ID, calm)).rejects.toMatchObject({
      code: 'wrong-chain',
      message: `There is no registry at ${REGISTRY}: check rpcUrl and registry.`,
    })
  })

  it('asks a node of another chain nothing but its chain', async () => {
    const strict = anchorWith({ chainId: 1 })
    await expect(strict.read(SESSION_ID, calm)).rejects.toMatchObject({
      code: 'wrong-chain',
      message: expect.stringMatching(/chain of the node is 31337, not 1\b/) as unknown,
    })
    expect(chain.calls.map(({ method }) => method)).toEqual(['eth_chainId'])
    expect(await anchorWith({ chainId: CHAIN_ID }).read(SESSION_ID, calm)).toEqual({ blockNumber: 10 })
  })

  it.each([
    ['0xNaN', { body: '{"result":"0x"}' }],
    ['not a number', { body: '{"result":"soon"}' }],
  ])('confirms nothing where the number of the newest block is %s', async (_, answer) => {
    chain.rpcAnswer = answer
    const seen = await anchor.read(SESSION_ID, calm).catch((error: unknown) => error)
    expect(seen).not.toHaveProperty('deep')
  })

  it.each([
    { code: 'throttled', body: rpcError(-32005, 'limit exceeded') },
    { code: 'throttled', body: rpcError(429, 'Your app has exceeded its compute units per second') },
    { code: 'throttled', body: rpcError(-32000, 'rate limited') },
    { code: 'server-error', body: rpcError(-32000, 'header not found') },
    { code: 'server-error', body: rpcError(-32001, 'unknown block') },
    { code: 'server-error', body: rpcError(-32000, 'missing trie node 5b7c') },
    { code: 'wrong-chain', body: rpcError(3, 'execution reverted') },
    { code: 'wrong-chain', body: rpcError(-32601, 'the method eth_call does not exist') },
  ])('takes $body for $code, whatever the status', async ({ code, body }) => {
    for (const status of [200, 400, 404]) {
      chain.rpcAnswer = { status, body }
      const error = await anchor.read(SESSION_ID, calm).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code, class: 'transient' })
      const { message } = (JSON.parse(body) as { error: { message: string } }).error
      expect((error as Error).message).toContain(message)
    }
  })

  it.each([400, 401, 403, 404, 405, 410, 413, 422, 429, 500, 503])(
    'takes the status %d for a failure that time heals',
    async (status) => {
      chain.rpcAnswer = { status, body: 'No.' }
      await expect(anchor.read(SESSION_ID, calm)).rejects.toMatchObject({
        class: 'transient',
        message: expect.stringContaining('No.') as unknown,
      })
    },
  )

  it.each([
    { depth: 1, blocks: [10, 10] },
    { depth: 2, blocks: [10, 9] },
    { depth: 5, blocks: [10, 6] },
    { depth: 11, blocks: [10, 0] },
    { depth: 12, blocks: [10] },
  ])('looks at depth $depth in blocks $blocks, all of one moment', async ({ depth, blocks }) => {
    chain.answers = new Map([[0, encoded(anchorOf('3'))]])
    await anchorWith({ depth }).read(SESSION_ID, calm)
    const calls = chain.calls.filter(({ method }) => method === 'eth_call')
    expect(calls.map(({ params }) => params)).toEqual(
      blocks.map((block) => [
        { to: REGISTRY, data: encodeSessionsCall(SESSION_ID) },
        `0x${block.toString(16)}`,
      ]),
    )
  })

  it.each([
    { what: 'no result', answer: { body: '{"jsonrpc":"2.0","id":1}' } },
    { what: 'no JSON', answer: { body: '<html>' } },
    { what: 'nothing', answer: { body: '' } },
    { what: 'null', answer: { body: 'null' } },
    { what: 'a result that is no record', answer: { body: '{"result":"0x12"}' } },
  ])('takes $what for a bad answer', async ({ answer }) => {
    chain.rpcAnswer = answer
    await expect(anchor.read(SESSION_ID, calm)).rejects.toMatchObject({ code: 'bad-answer' })
  })

  it('passes on a failure of the node, with the wait that it asks for', async () => {
    chain.rpcAnswer = { status: 429, headers: { 'retry-after': '7' }, body: '' }
    await expect(anchor.read(SESSION_ID, calm)).rejects.toMatchObject({
      code: 'throttled',
      retryAfterMs: 7_000,
    })
    const away = anchorWith({ rpcUrl: 'http://127.0.0.1:9/' })
    await expect(away.read(SESSION_ID, calm)).rejects.toMatchObject({ code: 'unreachable' })
  })
})

describe('the relay', () => {
  it('is handed the anchor, under session and manifest as its key', async () => {
    await anchor.submit(anchorOf('3'), calm)
    expect(chain.submitted).toEqual([
      { key: `${SESSION_ID}/${anchorOf('3').manifestCid}`, body: anchorOf('3') },
    ])
  })

  it.each([
    [{ registry: SIGNER }, {}],
    [{ chainId: 1 }, { chainId: CHAIN_ID }],
    [{ chainId: 1 }, {}],
    [{ chainId: '0x1' }, {}],
  ])('that signs for %j is told at once', async (told, options) => {
    chain.relayAnswer = { body: JSON.stringify({ address: SIGNER, ...told }) }
    const ours = anchorWith(options)
    await expect(ours.uploader(calm)).rejects.toMatchObject({ code: 'wrong-chain' })
    await expect(ours.submit(anchorOf('3'), calm)).rejects.toMatchObject({ code: 'wrong-chain' })
  })

  it.each([{}, { chainId: CHAIN_ID }, { chainId: '0x7a69', registry: REGISTRY.toUpperCase() }])(
    'that signs for this chain and registry is believed: %j',
    async (told) => {
      chain.relayAnswer = { body: JSON.stringify({ address: SIGNER, ...told }) }
      expect(await anchor.uploader(calm)).toBe(SIGNER)
    },
  )

  it.each(['{"error":"no funds"}', '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no funds"}}'])(
    'that answers 200 with %s has refused, in its words',
    async (body) => {
      chain.relayAnswer = { body }
      await expect(anchor.submit(anchorOf('3'), calm)).rejects.toMatchObject({
        code: 'anchor-rejected',
        message: expect.stringContaining('no funds') as unknown,
      })
    },
  )

  it.each([
    ['{"success":false}', 'anchor-rejected'],
    ['<html>Welcome</html>', 'bad-answer'],
    ['', 'bad-answer'],
  ])('that answers 200 with %j has taken nothing: %s', async (body, code) => {
    chain.relayAnswer = { body }
    await expect(anchor.submit(anchorOf('3'), calm)).rejects.toMatchObject({ code })
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
