import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ANCHOR_CONTRACT } from '../../contracts/anchor.contract.ts'
import { ANCHORED, encodeSessionsCall } from '../../../src/evidence/registry.ts'
import type { Anchor } from '../../ports/anchor.ts'
import { HoldfastError, type ErrorCode } from '../../../src/protocol/errors.ts'
import {
  anchorHarness,
  anchorOf,
  CHAIN_ID,
  encoded,
  FakeChainServer,
  logOf,
  NAME,
  recordOf,
  REGISTRY,
  rpcError,
  type Answered,
} from '../../testing/fake-chain-server.ts'
import { evm, type EvmOptions } from './evm.ts'

// Promise 3 of docs/guarantees.md.

const neverAborted = new AbortController().signal

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
    expect(await anchor.read(NAME, neverAborted)).toEqual({ blockNumber: 10 })
  })

  it('finds nothing deep where the registry is younger than that', async () => {
    chain.answers = new Map([[10, encoded(anchorOf('3'))]])
    expect(await anchor.read(NAME, neverAborted)).toEqual({
      blockNumber: 10,
      latest: recordOf(anchorOf('3')),
    })
  })

  it('names the address where the newest block has no contract there', async () => {
    chain.answers = new Map()
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({
      code: 'wrong-chain',
      message: `There is no registry at ${REGISTRY}.`,
    })
  })

  it('asks a node of another chain nothing but its chain', async () => {
    const strict = anchorWith({ chainId: 1 })
    await expect(strict.read(NAME, neverAborted)).rejects.toMatchObject({
      code: 'wrong-chain',
      message: expect.stringMatching(/node has chain 31337, not 1\b/) as unknown,
    })
    expect(chain.calls.map(({ method }) => method)).toEqual(['eth_chainId'])
    expect(await anchorWith({ chainId: CHAIN_ID }).read(NAME, neverAborted)).toEqual({ blockNumber: 10 })
  })

  it('takes a chain’s id that is a text, as a build’s variables are', async () => {
    const anchor = anchorWith({ chainId: `${CHAIN_ID}` as never })
    expect(await anchor.read(NAME, neverAborted)).toEqual({ blockNumber: 10 })
    await anchor.submit(anchorOf('3'), neverAborted)
    expect(chain.submitted).toHaveLength(1)
  })

  /** The node answers one method so, and all others as it should. */
  const instead = (method: string, answered: object) => {
    const answer = chain.resultOf.bind(chain)
    chain.resultOf = (call) => (call.method === method ? 'told' : answer(call))
    chain.amend = (body) => (body.result === 'told' ? { ...body, result: undefined, ...answered } : body)
  }

  it.each(['eth_chainId', 'eth_blockNumber'])('takes %s for no number that is none', async (method) => {
    for (const result of [
      '0x',
      '',
      'soon',
      '0xzz',
      ' 0xa',
      '10',
      10,
      null,
      true,
      ['0xa'],
      {},
      '-0x1',
      `0x${'f'.repeat(16)}`,
    ]) {
      instead(method, { result })
      await expect(anchorWith({ chainId: CHAIN_ID }).read(NAME, neverAborted)).rejects.toMatchObject({
        code: 'bad-answer',
      })
    }
  })

  it.each([{ number: null }, { number: 7 }, {}, 'latest', []])('takes %j for no block', async (result) => {
    instead('eth_getBlockByNumber', { result })
    await expect(anchorWith({ depth: 'safe' }).read(NAME, neverAborted)).rejects.toMatchObject({
      code: 'bad-answer',
    })
  })

  it.each([null, true, 7, {}, [], [encoded(anchorOf('3'))], '0x0', `${encoded(anchorOf('3'))}00`])(
    'takes %j for no record',
    async (result) => {
      instead('eth_call', { result })
      await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({ code: 'bad-answer' })
    },
  )

  it.each([
    ['under another id', { id: 2, result: '0xa' }],
    ['under none', { id: undefined, result: '0xa' }],
    ['under null', { id: null, result: '0xa' }],
  ])('believes no answer that comes %s', async (_, answered) => {
    instead('eth_blockNumber', answered)
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({ code: 'bad-answer' })
  })

  it('believes no answer beside an error, and none of a batch', async () => {
    instead('eth_blockNumber', { result: '0xa', error: { code: -32000, message: 'behind' } })
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({ code: 'server-error' })
    instead('eth_blockNumber', { result: '0xa', error: null })
    expect(await anchor.read(NAME, neverAborted)).toEqual({ blockNumber: 10 })
    chain.rpcAnswer = { body: '[{"jsonrpc":"2.0","id":1,"result":"0xa"}]' }
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({ code: 'bad-answer' })
  })

  it.each([
    { code: 'throttled', body: rpcError(-32005, 'limit exceeded') },
    { code: 'throttled', body: rpcError(429, 'Your app has exceeded its compute units per second') },
    { code: 'throttled', body: rpcError(-32000, 'rate limited') },
    { code: 'server-error', body: rpcError(-32000, 'header not found') },
    { code: 'server-error', body: rpcError(-32001, 'unknown block') },
    { code: 'server-error', body: rpcError(-32000, 'missing trie node 5b7c') },
    // geth, until it has synced as far.
    { code: 'server-error', body: rpcError(-39001, 'finalized block not found') },
    { code: 'wrong-chain', body: rpcError(3, 'execution reverted') },
    { code: 'wrong-chain', body: rpcError(-32601, 'the method eth_call does not exist') },
  ])('takes $body for $code, whatever the status', async ({ code, body }) => {
    for (const status of [200, 400, 404]) {
      chain.rpcAnswer = { status, body }
      const error = await anchor.read(NAME, neverAborted).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code, class: 'transient' })
      const { message } = (JSON.parse(body) as { error: { message: string } }).error
      expect((error as Error).message).toContain(message)
    }
  })

  it.each([
    { status: 403, code: 'server-error' },
    { status: 429, code: 'throttled' },
    { status: 502, code: 'server-error' },
    { status: 511, code: 'server-error' },
  ])('takes no page ($status) for words of a node', async ({ status, code }) => {
    chain.rpcAnswer = { status, body: '<!doctype html><form method="post">Your order is reverted.</form>' }
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({ code })
  })

  it.each([
    [-32_012, 'credits limited to 6000/sec'],
    [-32_007, '50/second request limit reached'],
    [-32_029, 'Too Many Requests, reach out to support'],
  ])('asks a node once that is asked too much, in whatever words: %i %s', async (code, message) => {
    chain.rpcAnswer = { body: rpcError(code, message) }
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({ code: 'throttled' })
    expect(chain.calls).toHaveLength(1)
  })

  it.each([400, 401, 403, 404, 405, 410, 413, 422, 429, 500, 503])(
    'takes the status %d for a failure that time heals',
    async (status) => {
      chain.rpcAnswer = { status, body: 'No.' }
      await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({
        class: 'transient',
        message: expect.stringContaining('No.') as unknown,
      })
    },
  )

  it.each([301, 302, 303, 307, 308])(
    'is not led on by a node that redirects (%i), and tells of it',
    async (status) => {
      chain.rpcAnswer = { status, headers: { location: chain.rpcUrl }, body: '' }
      await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({
        class: 'transient',
        message: expect.stringContaining('redirect: name that address') as unknown,
      })
      // As often as any that fails, and nobody else.
      expect(chain.calls).toHaveLength(3)
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
    await anchorWith({ depth }).read(NAME, neverAborted)
    const calls = chain.calls.filter(({ method }) => method === 'eth_call')
    expect(calls.map(({ params }) => params)).toEqual(
      blocks.map((block) => [{ to: REGISTRY, data: encodeSessionsCall(NAME) }, `0x${block.toString(16)}`]),
    )
  })

  it.each(['safe', 'finalized'] as const)('looks at the block that the chain calls %s', async (depth) => {
    chain.answers = new Map([[0, encoded(anchorOf('3'))]])
    chain.tags = { [depth]: 7 }
    expect(await anchorWith({ depth }).read(NAME, neverAborted)).toEqual({
      blockNumber: 10,
      latest: recordOf(anchorOf('3')),
      deep: recordOf(anchorOf('3')),
    })
    const blocks = chain.calls.flatMap(({ method, params }) => (method === 'eth_call' ? [params[1]] : []))
    expect(blocks).toEqual(['0xa', '0x7'])
    // Its newest block may be a moment older than that one.
    chain.tags = { [depth]: 99 }
    expect(await anchorWith({ depth }).read(NAME, neverAborted)).toMatchObject({
      blockNumber: 10,
      deep: { size: 3 },
    })
  })

  it('takes no hash of what a node lacks for a limit of its own', async () => {
    chain.rpcAnswer = { body: rpcError(-32000, 'missing trie node 1f4290ab (path 0x0429) is not available') }
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({ code: 'server-error' })
  })

  it('fails with words where the node knows no such block', async () => {
    await expect(anchorWith({ depth: 'finalized' }).read(NAME, neverAborted)).rejects.toMatchObject({
      class: 'transient',
      message: 'The node has no finalized block.',
    })
    chain.rpcAnswer = { body: rpcError(-39001, 'Unknown block') }
    await expect(anchorWith({ depth: 'safe' }).read(NAME, neverAborted)).rejects.toMatchObject({
      class: 'transient',
      message: expect.stringContaining('Unknown block') as unknown,
    })
  })

  it.each([
    { what: 'no result', answer: { body: '{"jsonrpc":"2.0","id":1}' } },
    { what: 'no JSON', answer: { body: '<html>' } },
    { what: 'nothing', answer: { body: '' } },
    { what: 'null', answer: { body: 'null' } },
    { what: 'a result that is no record', answer: { body: '{"result":"0x12"}' } },
  ])('takes $what for a bad answer', async ({ answer }) => {
    chain.rpcAnswer = answer
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({ code: 'bad-answer' })
  })

  it('passes on a failure of the node, with the wait that it asks for', async () => {
    chain.rpcAnswer = { status: 429, headers: { 'retry-after': '7' }, body: '' }
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({
      code: 'throttled',
      retryAfterMs: 7_000,
    })
    const away = anchorWith({ rpcUrl: 'http://127.0.0.1:9/' })
    await expect(away.read(NAME, neverAborted)).rejects.toMatchObject({ code: 'unreachable' })
  })
})

describe('the events of a session', () => {
  const eventOf = (digit: string, previousBlock = 0) => {
    const { size, root, page, end, groups } = anchorOf(digit).head
    const receipt = { transactionHash: `0x${root}`, blockHash: `0x${page}` }
    return { size, root, page, end, groups, previousBlock, receipt }
  }

  it('are told of some blocks, oldest first, with transaction and block', async () => {
    chain.mine(anchorOf('3'))
    chain.mine(anchorOf('4'))
    expect(await anchor.events(NAME, 11, 12, neverAborted)).toEqual([eventOf('3'), eventOf('4', 11)])
    expect(chain.calls.at(-1)).toMatchObject({
      method: 'eth_getLogs',
      params: [{ address: REGISTRY, fromBlock: '0xb', toBlock: '0xc', topics: [null, `0x${NAME}`] }],
    })
    expect(await anchor.events(NAME, 12, 12, neverAborted)).toEqual([eventOf('4', 11)])
  })

  it('are all of them, where a block took several', async () => {
    chain.logs.set(11, [logOf(anchorOf('3')), logOf(anchorOf('4'), 11)])
    expect(await anchor.events(NAME, 11, 11, neverAborted)).toEqual([eventOf('3'), eventOf('4', 11)])
  })

  it('are those alone that no reorganisation took back', async () => {
    const gone = { ...logOf(anchorOf('4')), removed: true }
    chain.logs.set(11, [gone, { ...logOf(anchorOf('3')), removed: false }])
    expect(await anchor.events(NAME, 11, 11, neverAborted)).toEqual([eventOf('3')])
  })

  const foreign = { ...logOf(anchorOf('4')), topics: [ANCHORED, `0x${'2'.repeat(64)}`] }

  it.each([null, {}, 'none', 7, [null], [7], [{}], [{ data: null }], [{ data: 7 }], [foreign]])(
    'are none where the node lists none of it: %j',
    async (logs) => {
      chain.logs.set(11, logs as never)
      expect(await anchor.events(NAME, 11, 11, neverAborted)).toEqual([])
    },
  )

  it.each([
    { transactionHash: undefined },
    { blockHash: null },
    { transactionHash: '0x1' },
    { blockHash: 'latest' },
    { topics: undefined },
  ])('name nothing that is no hash: %j', async (wrong) => {
    chain.logs.set(11, [{ ...logOf(anchorOf('3')), ...wrong }])
    expect(await anchor.events(NAME, 11, 11, neverAborted)).toEqual([])
  })

  it.each([undefined, null, '0x', 'none', `0x${'1'.repeat(64)}`])(
    'are not told by one whose data are none: %j',
    async (data) => {
      chain.logs.set(11, [{ ...logOf(anchorOf('3')), data }])
      await expect(anchor.events(NAME, 11, 11, neverAborted)).rejects.toMatchObject({ code: 'bad-answer' })
    },
  )

  it.each([
    ['throttled', { body: rpcError(-32005, 'limit exceeded') }],
    ['server-error', { status: 503, body: '' }],
    // Its events are forgotten (EIP-4444), or never told.
    ['server-error', { body: rpcError(4444, 'pruned history unavailable') }],
    ['wrong-chain', { body: rpcError(-32601, 'the method eth_getLogs does not exist') }],
  ])('fail as any question where the node does not tell: %s', async (code, answer) => {
    chain.rpcAnswer = answer
    await expect(anchor.events(NAME, 11, 11, neverAborted)).rejects.toMatchObject({
      code,
      class: 'transient',
    })
  })
})

describe('the relay', () => {
  it('is handed the head with its groups, under what it says of the log as its key', async () => {
    const { head, groups } = anchorOf('3')
    await anchor.submit({ head, groups }, neverAborted)
    expect(chain.submitted).toEqual([{ key: `${NAME}/3/${head.root}`, body: { ...head, members: groups } }])
  })

  it('gets the sign-in of the app', async () => {
    const seen: (string | undefined)[] = []
    const answer = chain.answer.bind(chain)
    chain.answer = (request) => {
      seen.push(request.headers.authorization)
      return answer(request)
    }
    const authorize = async () => ({ authorization: 'Bearer 1' })
    await anchorWith({ authorize }).submit(anchorOf('3'), neverAborted)
    expect(seen).toEqual(['Bearer 1'])
  })

  it.each(['{"error":"no funds"}', '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no funds"}}'])(
    'that answers 200 with %s has refused, in its words',
    async (body) => {
      chain.relayAnswer = { body }
      await expect(anchor.submit(anchorOf('3'), neverAborted)).rejects.toMatchObject({
        code: 'anchor-rejected',
        message: expect.stringContaining('no funds') as unknown,
      })
    },
  )

  it.each([
    '{"error":"","transactionHash":"0x1"}',
    '{"error":null}',
    '{"errors":[]}',
    '{"status":"pending"}',
    '{"transactionHash":"0x1","status":"0x1"}',
    '{"transactionHash":"0x1","status":"0x01"}',
    '{"transactionHash":"0x1","status":1}',
    '{"transactionHash":"0x1","status":true}',
    '{"transactionHash":"0x1","status":null}',
    '{"message":"{\\"error\\": \\"none\\"}"}',
    '{"chainId":null,"registry":null}',
  ])('that answers 200 with %s has taken it', async (body) => {
    chain.relayAnswer = { body }
    await anchorWith({ chainId: CHAIN_ID }).submit(anchorOf('3'), neverAborted)
    expect(chain.submitted).toHaveLength(1)
  })

  it.each([
    ['{"success":false}', 'anchor-rejected'],
    ['{\n  "error" :\n  "insufficient funds"\n}', 'anchor-rejected'],
    ['{"transactionHash":"0x1","status":"0x0"}', 'anchor-rejected'],
    ['{"transactionHash":"0x1","status":false}', 'anchor-rejected'],
    ['{"transactionHash":"0x1","status":0}', 'anchor-rejected'],
    ['{"transactionHash":"0x1","status":"0"}', 'anchor-rejected'],
    ['{"success": "false"}', 'anchor-rejected'],
    ['{"success": 0}', 'anchor-rejected'],
    ['{"ok": null}', 'anchor-rejected'],
    ['{"ok":false}', 'anchor-rejected'],
    ['{"status":"failed"}', 'anchor-rejected'],
    ['{"status": "error", "message": "no funds"}', 'anchor-rejected'],
    ['{"status":"reverted"}', 'anchor-rejected'],
    ['{"errors":["no funds"]}', 'anchor-rejected'],
    ['{"errors":[{"message":"no funds"}]}', 'anchor-rejected'],
    ['{"error":true}', 'anchor-rejected'],
    ['{"error":-32000}', 'anchor-rejected'],
    ['[{"error":{"code":-32000}}]', 'anchor-rejected'],
    ['{"data":{"error":{"message":"no funds"}}}', 'anchor-rejected'],
    ['<html>Welcome</html>', 'bad-answer'],
    ['', 'bad-answer'],
  ])('that answers 200 with %j has taken nothing: %s', async (body, code) => {
    chain.relayAnswer = { body }
    await expect(anchor.submit(anchorOf('3'), neverAborted)).rejects.toMatchObject({ code })
  })

  it.each([
    // Besu, Nethermind, geth, ethers, web3.js, erigon.
    'Known transaction',
    'OldNonce, Current nonce: 5, nonce of rejected tx: 4.',
    'FeeTooLow',
    'FEE_TOO_LOW: fee too low',
    'max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 7',
    'txpool is full',
    'replacement fee too low',
    'Transaction with the same hash was already imported.',
    'existing tx with same hash',
    'INTERNAL_ERROR: existing tx with same hash',
    'could not replace existing tx',
  ])('that says “%s” may have it under way, or has it for later', async (message) => {
    for (const status of [200, 400, 500]) {
      chain.relayAnswer = { status, body: JSON.stringify({ error: { code: -32_000, message } }) }
      await expect(anchor.submit(anchorOf('3'), neverAborted)).rejects.toMatchObject({
        code: 'anchor-unseen',
      })
    }
  })

  it.each([
    'insufficient funds for gas * price + value: address 0x1 have 0 want 1',
    'insufficient funds for intrinsic transaction cost (transaction={"nonce":5,"maxFeePerGas":"7"})',
    'unknown account',
    'exceeds block gas limit',
    'tx fee (1.10 ether) exceeds the configured cap (1.00 ether)',
  ])('that says “%s” has refused', async (message) => {
    chain.relayAnswer = { body: JSON.stringify({ error: { code: -32_000, message } }) }
    await expect(anchor.submit(anchorOf('3'), neverAborted)).rejects.toMatchObject({
      code: 'anchor-rejected',
    })
  })

  it.each([
    { chainId: 1 },
    { chainId: '0x1', registry: REGISTRY },
    { registry: `0x${'7'.repeat(40)}` },
    { chainId: CHAIN_ID, registry: `0x${'7'.repeat(40)}` },
  ])('that says that it pays elsewhere (%o) has taken nothing', async (elsewhere) => {
    chain.relayAnswer = { body: JSON.stringify({ transactionHash: `0x${'9'.repeat(64)}`, ...elsewhere }) }
    await expect(anchorWith({ chainId: CHAIN_ID }).submit(anchorOf('3'), neverAborted)).rejects.toMatchObject(
      {
        code: 'wrong-chain',
      },
    )
  })

  it.each([
    { chainId: CHAIN_ID, registry: REGISTRY.toUpperCase().replace('X', 'x') },
    { chainId: `0x${CHAIN_ID.toString(16)}` },
    { registry: REGISTRY.toLowerCase() },
  ])('may say that it pays here, in any form (%o)', async (here) => {
    chain.relayAnswer = { body: JSON.stringify(here) }
    await anchorWith({ chainId: CHAIN_ID }).submit(anchorOf('3'), neverAborted)
    expect(chain.submitted).toHaveLength(1)
  })

  it.each([`eip155:${CHAIN_ID}`, 'anvil', '', {}, [CHAIN_ID, 1]])(
    'that names its chain by no number (%o) has said nothing of it: the chain tells',
    async (chainId) => {
      chain.relayAnswer = { body: JSON.stringify({ chainId, registry: REGISTRY }) }
      await anchorWith({ chainId: CHAIN_ID }).submit(anchorOf('3'), neverAborted)
      expect(chain.submitted).toHaveLength(1)
    },
  )

  it('of whatever chain is taken where the app names none', async () => {
    chain.relayAnswer = { body: '{"chainId":1}' }
    await anchor.submit(anchorOf('3'), neverAborted)
    expect(chain.submitted).toHaveLength(1)
  })

  it.each([301, 302, 303, 307, 308])(
    'that redirects (%i) gets no head sent on, and is told',
    async (status) => {
      chain.relayAnswer = { status, headers: { location: chain.relayUrl }, body: '' }
      await expect(anchor.submit(anchorOf('3'), neverAborted)).rejects.toMatchObject({
        code: 'anchor-rejected',
        message: expect.stringContaining('redirect: name that address') as unknown,
      })
      expect(chain.submitted).toHaveLength(1)
    },
  )

  it.each([
    { status: 400, code: 'anchor-rejected' },
    { status: 401, code: 'sign-in-needed' },
    { status: 403, code: 'sign-in-needed' },
    { status: 429, code: 'throttled' },
    { status: 503, code: 'server-error' },
  ])('answering $status with a page has said nothing of the head: $code', async ({ status, code }) => {
    chain.relayAnswer = { status, body: '<!doctype html><p>Already have an account? Sign in.</p>' }
    await expect(anchor.submit(anchorOf('3'), neverAborted)).rejects.toMatchObject({ code })
  })

  it.each([
    { status: 400, code: 'anchor-rejected' },
    { status: 401, code: 'sign-in-needed' },
    { status: 422, code: 'anchor-rejected' },
    { status: 429, code: 'throttled' },
    { status: 503, code: 'server-error' },
  ])('answering $status is $code', async ({ status, code }) => {
    chain.relayAnswer = { status, headers: { 'retry-after': '7' }, body: 'Because.' }
    await expect(anchor.submit(anchorOf('3'), neverAborted)).rejects.toMatchObject({
      code,
      message: expect.stringContaining('Because.') as unknown,
      // It is kept for the relay: nothing that is read of the chain waits for it.
      retryAfterMs: 0,
    })
  })
})

it('with neither a relay nor an account is told as a wrong input, in words', async () => {
  await expect(anchorWith({ relayUrl: [] }).submit(anchorOf('3'), neverAborted)).rejects.toMatchObject({
    code: 'bad-input',
    message: 'No relayUrl, no account.',
  })
})

describe('several relays', () => {
  const away = 'http://127.0.0.1:9/'
  let other: FakeChainServer

  beforeEach(async () => {
    other = await FakeChainServer.listening()
  })
  afterEach(() => other.close())

  it('are not all handed a head that the first has taken', async () => {
    await anchorWith({ relayUrl: [chain.relayUrl, other.relayUrl] }).submit(anchorOf('3'), neverAborted)
    expect([chain.submitted.length, other.submitted.length]).toEqual([1, 0])
  })

  it.each([
    ['is down', { status: 503, body: '' }],
    ['refuses', { status: 422, body: 'BadSignature' }],
    ['wants a sign-in', { status: 401, body: '' }],
    ['asks for less', { status: 429, headers: { 'retry-after': '600' }, body: '' }],
    ['has no funds', { body: '{"error":"no funds"}' }],
    ['is no relay', { body: '<html>' }],
    ['pays elsewhere', { body: JSON.stringify({ registry: `0x${'7'.repeat(40)}` }) }],
    // Nobody knows whether what it has will be mined; brought twice a head changes nothing, and is cheap.
    ['says that it has it already', { body: '{"error":"already known"}' }],
  ])('go on where one %s', async (_, relayAnswer) => {
    chain.relayAnswer = relayAnswer
    await anchorWith({ relayUrl: [away, chain.relayUrl, other.relayUrl] }).submit(anchorOf('3'), neverAborted)
    expect(other.submitted).toHaveLength(1)
  })

  it.each([
    '{}',
    '{"status":"queued"}',
    '{"data":{"id":"7","hash":null}}',
    JSON.stringify({ transactionHash: `0x${'9'.repeat(64)}` }),
  ])('of which one takes heads in vain (%s) get each in turn, and so does the same again', async (body) => {
    chain.relayAnswer = { body }
    const anchor = anchorWith({ relayUrl: [chain.relayUrl, other.relayUrl] })
    for (const digit of ['3', '3', '4', '5']) await anchor.submit(anchorOf(digit), neverAborted)
    const sizesOf = ({ submitted }: FakeChainServer) => submitted.map(({ key }) => key?.split('/')[1])
    expect([sizesOf(chain), sizesOf(other)]).toEqual([
      ['3', '4'],
      ['3', '5'],
    ])
  })

  const DOWN = { status: 503, body: '' }
  const NO_FUNDS = { body: '{"error":"no funds"}' }
  const SIGN_IN = { status: 401, body: '' }
  const NO_RELAY = { body: '<html>' }
  const ELSEWHERE = { body: JSON.stringify({ registry: `0x${'7'.repeat(40)}` }) }

  it.each<[ErrorCode, what: string, Answered, Answered]>([
    ['server-error', 'is down', DOWN, NO_FUNDS],
    ['server-error', 'is down', DOWN, SIGN_IN],
    ['server-error', 'is down', DOWN, NO_RELAY],
    ['wrong-chain', 'pays elsewhere', ELSEWHERE, NO_FUNDS],
    ['bad-answer', 'is no relay', NO_RELAY, NO_FUNDS],
    ['bad-answer', 'is no relay', NO_RELAY, SIGN_IN],
  ])('that all fail are %s where one %s, whichever is asked last', async (code, _, one, another) => {
    chain.relayAnswer = one
    other.relayAnswer = another
    const failing = anchorWith({ relayUrl: [chain.relayUrl, other.relayUrl] })
    for (let turn = 0; turn < 2; turn += 1)
      await expect(failing.submit(anchorOf('3'), neverAborted)).rejects.toMatchObject({ code })
  })

  it('that all fail are told with what each of them said', async () => {
    chain.relayAnswer = { status: 503, body: 'Later.' }
    other.relayAnswer = { body: '{"error":"no funds"}' }
    const failing = anchorWith({ relayUrl: [chain.relayUrl, other.relayUrl] })
    await expect(failing.submit(anchorOf('3'), neverAborted)).rejects.toMatchObject({
      message: expect.stringMatching(/Later\..*no funds/) as unknown,
    })
  })

  it('of which one asks for a wait: it gets it, and the other is asked meanwhile', async () => {
    chain.relayAnswer = { status: 429, headers: { 'retry-after': '600' }, body: '' }
    other.relayAnswer = { status: 503, body: '' }
    const anchor = anchorWith({ relayUrl: [chain.relayUrl, other.relayUrl] })
    for (let turn = 0; turn < 3; turn += 1)
      await expect(anchor.submit(anchorOf('3'), neverAborted)).rejects.toMatchObject({
        class: 'transient',
        retryAfterMs: 0,
      })
    expect([chain.submitted.length, other.submitted.length]).toEqual([1, 3])
    other.relayAnswer = { body: '{}' }
    await anchor.submit(anchorOf('3'), neverAborted)
    expect([chain.submitted.length, other.submitted.length]).toEqual([1, 4])
  })

  const failureOf = async (anchor: Anchor) =>
    HoldfastError.from(await anchor.submit(anchorOf('3'), neverAborted).catch((thrown: unknown) => thrown))

  it('of which one asks for a wait and the other refuses wait for the one, not for a person', async () => {
    chain.relayAnswer = { status: 429, headers: { 'retry-after': '600' }, body: '' }
    other.relayAnswer = { body: '{"error":"no funds"}' }
    const failing = anchorWith({ relayUrl: [chain.relayUrl, other.relayUrl] })
    for (let turn = 0; turn < 2; turn += 1) {
      const error = await failureOf(failing)
      expect(error).toMatchObject({ code: 'throttled', retryAfterMs: 0 })
    }
    expect([chain.submitted.length, other.submitted.length]).toEqual([1, 2])
  })

  it('that all ask for a wait are left alone, and each is asked again once its own is over', async () => {
    let nowMs = 0
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
    chain.relayAnswer = { status: 429, headers: { 'retry-after': '600' }, body: '' }
    other.relayAnswer = { status: 503, headers: { 'retry-after': '7' }, body: 'Later.' }
    const failing = anchorWith({ relayUrl: [chain.relayUrl, other.relayUrl] })
    const askedAfter = async (ms: number) => {
      nowMs += ms
      expect(await failureOf(failing)).toMatchObject({
        class: 'transient',
        message: expect.stringContaining('Later.') as unknown,
        retryAfterMs: 0,
      })
      return [chain.submitted.length, other.submitted.length]
    }
    expect(await askedAfter(0)).toEqual([1, 1])
    expect(await askedAfter(6_999)).toEqual([1, 1])
    expect(await askedAfter(1)).toEqual([1, 2])
    expect(await askedAfter(593_000)).toEqual([2, 3])
    vi.restoreAllMocks()
  })

  it('are not asked any more after a stop, which is all that is told', async () => {
    const over = new AbortController()
    chain.answer = async () => {
      over.abort()
      return { status: 503, body: '' }
    }
    const stopped = anchorWith({ relayUrl: [away, chain.relayUrl, other.relayUrl] })
    await expect(stopped.submit(anchorOf('3'), over.signal)).rejects.toMatchObject({ code: 'aborted' })
    expect(other.submitted).toEqual([])
  })
})
