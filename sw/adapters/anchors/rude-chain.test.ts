import { gzipSync } from 'node:zlib'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { collect } from '../../../e2e/backend/exchange.ts'
import { serverOfTest } from '../../../e2e/backend/server-of-test.ts'
import { HoldfastError } from '../../../src/protocol/errors.ts'
import {
  anchorOf,
  CHAIN_ID,
  encoded,
  logOf,
  NAME,
  recordOf,
  REGISTRY,
} from '../../testing/fake-chain-server.ts'
import { evm } from './evm.ts'
import { evmNodes } from './nodes.ts'
import { sampleOf } from '../../../e2e/test-size.ts'

// Promise 3 of docs/guarantees.md: nodes and relays as they really answer. Whatever they say, nothing counts that is not so,
// a read that fails is for later, and what is wrong is told.

const neverAborted = new AbortController().signal
const OURS = encoded(anchorOf('3'))

interface Call {
  readonly method: string
  readonly params: readonly unknown[]
}
/** How one answer goes out; `honest` is as it should be. */
type Answer = (response: ServerResponse, call: Call, honest: string) => unknown

const honestResult = ({ method }: Call): unknown =>
  ({ eth_chainId: `0x${CHAIN_ID.toString(16)}`, eth_call: OURS, eth_getLogs: [logOf(anchorOf('3'))] })[
    method
  ] ?? '0xa'

/** A node that answers as it is told. */
async function nodeThat(answer: Answer): Promise<string> {
  const origin = await serverOfTest(async (request: IncomingMessage, response) => {
    const call = JSON.parse((await collect(request)).toString()) as Call
    await answer(response, call, JSON.stringify({ jsonrpc: '2.0', id: 1, result: honestResult(call) }))
  })
  return `${origin}/rpc`
}

const honest: Answer = (response, _, body) => response.end(body)
const says =
  (status: number, body: string | Buffer = '', headers: Record<string, string | string[]> = {}): Answer =>
  (response) =>
    response.writeHead(status, headers).end(body)
const instead =
  (of: string, result: unknown): Answer =>
  (response, { method }, body) =>
    response.end(method === of ? JSON.stringify({ jsonrpc: '2.0', id: 1, result }) : body)

const inTurn = (...answers: readonly Answer[]): Answer => {
  let turn = 0
  return (...args) => answers[turn++ % answers.length]?.(...args)
}

const BOMB = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '))
const HTML = '<!doctype html><title>Sign in</title>'

const RUDE: readonly (readonly [what: string, answer: Answer])[] = [
  ['nothing, 200', says(200)],
  ['nothing, 204', says(204)],
  ['a part of it, 206', (response, _, body) => response.writeHead(206).end(body.slice(0, 20))],
  ['a sign-in page, 200', says(200, HTML, { 'content-type': 'text/html' })],
  ['a redirect to itself', says(307, '', { location: '/rpc' })],
  ['a redirect to nobody', says(302, '', { location: 'http://127.0.0.1:9/' })],
  ['a redirect to nothing', says(303)],
  ['not modified', says(304)],
  ['a teapot', says(418, HTML)],
  ['too early', says(425)],
  ['payment required', says(402, '{"error":"quota"}')],
  ['a status of its own', says(599, 'Gone fishing.')],
  [
    'half of what it promised',
    (response, _, body) => {
      response.writeHead(200, { 'content-length': String(body.length + 9) }).write(body)
      setTimeout(() => response.destroy(), 20)
    },
  ],
  ['a bomb of spaces, packed', says(200, BOMB, { 'content-encoding': 'gzip' })],
  ['what is packed no way it can be', says(200, 'plain', { 'content-encoding': 'gzip' })],
  [
    'packed, and cut off',
    says(200, gzipSync('{"jsonrpc":"2.0","id":1,"result":"0xa"}').subarray(0, 25), {
      'content-encoding': 'gzip',
    }),
  ],
  ['JSON with something behind it', (response, _, body) => response.end(`${body}<!-- cached -->`)],
  ['two answers in a row', (response, _, body) => response.end(`${body}\n${body}`)],
  ['JSON in UTF-16', (response, _, body) => response.end(Buffer.from(body, 'utf16le'))],
  ['a list, 64 KiB deep', says(200, '['.repeat(65_536) + ']'.repeat(65_536))],
  ['a result in words', instead('eth_blockNumber', 'ten')],
  ['a height with a fraction', instead('eth_blockNumber', '0xa.8')],
  ['a height below zero', instead('eth_blockNumber', '-0xa')],
  ['a height beyond 2^53', instead('eth_blockNumber', '0x20000000000001')],
  ['a height in 2,000 digits', instead('eth_blockNumber', `0x${'a'.repeat(2_000)}`)],
  ['a record of half its length', instead('eth_call', OURS.slice(0, OURS.length / 2))],
  [
    'a record of a block beyond 2^53',
    instead('eth_call', `${OURS.slice(0, 2 + 4 * 64)}${'f'.repeat(64)}${OURS.slice(2 + 5 * 64)}`),
  ],
  [
    'another chain in every second call',
    (response, { method }, body) =>
      response.end(method === 'eth_call' ? '{"jsonrpc":"2.0","id":1,"result":"0x"}' : body),
  ],
  ['its request back', (response, call) => response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, ...call }))],
  ['an error that is a text', says(200, '{"jsonrpc":"2.0","id":1,"error":"busy"}')],
  ['an error, and a result of zero', says(200, '{"jsonrpc":"2.0","id":1,"error":{},"result":"0x"}')],
  ['an id that is a text', says(200, '{"jsonrpc":"2.0","id":"1","result":"0xa"}')],
]

describe('a node that answers', () => {
  it.each(sampleOf(RUDE))('with %s is read later, told, and believed nothing', async (_, answer) => {
    const rpcUrl = await nodeThat(answer)
    const anchor = evm({ rpcUrl, registry: REGISTRY, relayUrl: [], chainId: CHAIN_ID })
    const error = await anchor.read(NAME, neverAborted).then(
      (seen) => seen,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(HoldfastError)
    const { code, class: kind, message } = error as HoldfastError
    expect(['transient', 'conflict']).toContain(kind)
    expect(code).not.toBe('defect')
    expect(message).not.toBe('')
  })

  it.each(sampleOf(RUDE))(
    'with %s beside two that are in order holds nothing up, and is told',
    async (_, answer) => {
      const rpcUrls = [await nodeThat(honest), await nodeThat(honest), await nodeThat(answer)]
      const anchor = evmNodes({ rpcUrls, registry: REGISTRY, relayUrl: [], chainId: CHAIN_ID })
      const seen = { blockNumber: 10, latest: recordOf(anchorOf('3')), deep: recordOf(anchorOf('3')) }
      expect(await anchor.read(NAME, neverAborted)).toEqual(seen)
      const [event] = await anchor.events(NAME, 1, 1, neverAborted)
      expect(event?.receipt.setAside).toMatchObject([{ origin: new URL(rpcUrls[2] ?? '').origin }])
    },
  )

  it.each<[string, Answer]>([
    [
      'after interim answers',
      (response, _, body) => {
        response.writeProcessing()
        response.writeEarlyHints({ link: '</a>; rel=preload' })
        response.end(body)
      },
    ],
    [
      'a byte at a time',
      async (response, _, body) => {
        for (const byte of body) response.write(byte)
        response.end()
      },
    ],
    [
      'as text, and as if it were a picture',
      (response, _, body) =>
        response.writeHead(200, { 'content-type': ['text/html', 'image/png'] }).end(body),
    ],
    ['with a mark of its byte order', (response, _, body) => response.end(`\uFEFF${body}`)],
    [
      'packed',
      (response, _, body) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body)),
    ],
    [
      '201, and with its fields in another order',
      (response, call) =>
        response
          .writeHead(201)
          .end(`\n{ "result": ${JSON.stringify(honestResult(call))}, "extra": [], "id": 1 }\n`),
    ],
  ])('%s is believed', async (_, answer) => {
    const rpcUrl = await nodeThat(answer)
    const anchor = evm({ rpcUrl, registry: REGISTRY, relayUrl: [], chainId: CHAIN_ID })
    expect(await anchor.read(NAME, neverAborted)).toMatchObject({ latest: { size: 3 } })
  })
})

describe('a wait that a node asks for', () => {
  // One moment for all dates: they have whole seconds, and two of them could lie on either side of one.
  const nowMs = Date.now()
  const dateIn = (ms: number) => new Date(nowMs + ms).toUTCString()
  const YEAR_MS = 365 * 86_400_000

  it.each<[string, Record<string, string | string[]>, least: number, most: number]>([
    [
      'by its clock, which is years behind',
      { date: dateIn(-9 * YEAR_MS), 'retry-after': dateIn(60_000 - 9 * YEAR_MS) },
      60_000,
      60_000,
    ],
    [
      'by its clock, which is years ahead',
      { date: dateIn(9 * YEAR_MS), 'retry-after': dateIn(60_000 + 9 * YEAR_MS) },
      60_000,
      60_000,
    ],
    [
      'until now, by a clock that is years behind',
      { date: dateIn(-9 * YEAR_MS), 'retry-after': dateIn(60_000) },
      3_600_000,
      3_600_000,
    ],
    [
      'until now, by a clock that is years ahead',
      { date: dateIn(9 * YEAR_MS), 'retry-after': dateIn(60_000) },
      0,
      0,
    ],
    ['by no clock', { date: 'soon', 'retry-after': dateIn(1_800_000) }, 60_000, 1_801_000],
    ['twice', { 'retry-after': ['7', '9'] }, 0, 0],
    ['for ever', { 'retry-after': '9'.repeat(40) }, 3_600_000, 3_600_000],
    ['in the past', { 'retry-after': '-7' }, 0, 0],
    ['in a fraction', { 'retry-after': '7.5' }, 0, 0],
  ])('%s is an hour at most', async (_, headers, least, most) => {
    const anchor = evm({ rpcUrl: await nodeThat(says(503, '', headers)), registry: REGISTRY, relayUrl: [] })
    const { retryAfterMs } = HoldfastError.from(
      await anchor.read(NAME, neverAborted).catch((error: unknown) => error),
    )
    expect(retryAfterMs).toBeGreaterThanOrEqual(least)
    expect(retryAfterMs).toBeLessThanOrEqual(most)
  })
})

describe('nodes of which each says the truth now and then', () => {
  const over = async (...answers: readonly Answer[]) => {
    const rpcUrls = await Promise.all(answers.map(nodeThat))
    return evmNodes({ rpcUrls, registry: REGISTRY, relayUrl: [], chainId: CHAIN_ID })
  }

  it('name no transaction where the one has it in another block than the other, and go on', async () => {
    const other = { ...logOf(anchorOf('3')), blockHash: `0x${'e'.repeat(64)}` }
    const anchor = await over(honest, instead('eth_getLogs', [other]))
    await expect(anchor.events(NAME, 1, 1, neverAborted)).rejects.toMatchObject({ class: 'transient' })
    expect(await anchor.read(NAME, neverAborted)).toMatchObject({ latest: { size: 3 } })
  })

  it('name the block that two of three have it in, and who did not', async () => {
    const other = { ...logOf(anchorOf('3')), blockHash: `0x${'e'.repeat(64)}` }
    const anchor = await over(honest, instead('eth_getLogs', [other]), honest)
    expect((await anchor.events(NAME, 1, 1, neverAborted))[0]?.receipt).toMatchObject({
      blockHash: logOf(anchorOf('3')).blockHash,
      setAside: [{ message: 'It says otherwise of block 1.' }],
    })
  })

  it('are asked again for a receipt that comes and goes', async () => {
    const anchor = await over(honest, inTurn(instead('eth_getLogs', []), honest))
    await expect(anchor.events(NAME, 1, 1, neverAborted)).rejects.toMatchObject({ class: 'transient' })
    expect((await anchor.events(NAME, 1, 1, neverAborted))[0]?.receipt).toMatchObject({
      transactionHash: expect.any(String) as unknown,
    })
  })

  it('are not of two chains at once: one whose chain changes from call to call is set aside, and told', async () => {
    const changing = inTurn(instead('eth_chainId', '0x1'), honest, honest, honest)
    const anchor = await over(honest, honest, changing)
    expect(await anchor.read(NAME, neverAborted)).toMatchObject({ latest: { size: 3 } })
    expect((await anchor.events(NAME, 1, 1, neverAborted))[0]?.receipt).toMatchObject({
      setAside: [{ code: 'wrong-chain', message: `The node has chain 1, not ${CHAIN_ID}.` }],
    })
  })

  it('tell nothing deep where a head is at the one’s depth only', async () => {
    const calls = inTurn(honest, honest, honest, instead('eth_call', encoded(anchorOf('7'))))
    const anchor = await over(honest, calls)
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({
      code: 'nodes-disagree',
      class: 'transient',
    })
  })
})

describe('a relay that answers', () => {
  const DEEP = `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`

  it.each<[string, Answer, string | undefined]>([
    ['with a list, 30,000 deep', says(200, DEEP), 'bad-answer'],
    [
      'with such a list, and an error behind it',
      says(200, `${DEEP.slice(0, -1)},"error":"no funds"}`),
      'bad-answer',
    ],
    [
      'for a registry that cannot be written as a text',
      says(200, '{"registry":{"toString":1}}'),
      'wrong-chain',
    ],
    ['with a bomb of spaces, packed', says(200, BOMB, { 'content-encoding': 'gzip' }), 'bad-answer'],
    ['with a sign-in page', says(200, HTML), 'bad-answer'],
    ['with nothing, 204', says(204), 'bad-answer'],
    ['with nothing, 206', says(206), 'bad-answer'],
    ['with a text', says(200, '"0x12"'), 'bad-answer'],
    ['with a redirect', says(308, '', { location: '/' }), 'anchor-rejected'],
    ['with a redirect that browsers do not follow', says(300), 'anchor-rejected'],
    [
      'half of it',
      (response) => {
        response.writeHead(200, { 'content-length': '99' }).write('{"transactionHash":"0x')
        setTimeout(() => response.destroy(), 20)
      },
      'bad-answer',
    ],
    ['for a registry that is an object', says(200, '{"registry":{}}'), 'wrong-chain'],
    ['with a chain in a fraction', says(200, '{"chainId":31337.5}'), 'wrong-chain'],
    ['409, as it has it already', says(409, '{"error":"duplicate"}'), 'bad-answer'],
    ['401, with a word of a nonce', says(401, '{"error":"This key is already revoked."}'), 'sign-in-needed'],
    ['403, with such a word', says(403, '{"error":"Your plan has already ended."}'), 'sign-in-needed'],
    ['429, with such a word', says(429, '{"error":"You already asked too often."}'), 'throttled'],
    ['402, as nobody pays', says(402), 'anchor-rejected'],
    ['451, as it may not', says(451), 'anchor-rejected'],
    ['507, as it is full', says(507), 'server-error'],
  ])('%s is told for what it is', async (_, answer, code) => {
    const anchor = evm({
      rpcUrl: 'http://127.0.0.1:9/',
      registry: REGISTRY,
      chainId: CHAIN_ID,
      relayUrl: await nodeThat(answer),
    })
    const failure = await anchor.submit(anchorOf('3'), neverAborted).then(
      () => undefined,
      (thrown: unknown) => HoldfastError.from(thrown),
    )
    expect(failure?.code).toBe(code)
  })
})
