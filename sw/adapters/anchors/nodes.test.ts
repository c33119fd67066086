import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ANCHOR_CONTRACT } from '../../contracts/anchor.contract.ts'
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
} from '../../testing/fake-chain-server.ts'
import { evmNodes, type EvmNodesOptions, type SetAside } from './nodes.ts'

// Promise 3 of docs/guarantees.md.

const neverAborted = new AbortController().signal
const OURS = encoded(anchorOf('3'))
const OTHER = encoded(anchorOf('7'))
const OURS_DEEP = { blockNumber: 10, latest: recordOf(anchorOf('3')), deep: recordOf(anchorOf('3')) }

let a: FakeChainServer
let b: FakeChainServer
let c: FakeChainServer

const all = () => [a, b, c]
const holdEverywhere = (record: string) => all().forEach((node) => node.answers.set(0, record))

const anchorOver = (nodes: readonly FakeChainServer[], options: Partial<EvmNodesOptions> = {}) =>
  evmNodes({
    rpcUrls: nodes.map(({ rpcUrl }) => rpcUrl),
    chainId: CHAIN_ID,
    registry: REGISTRY,
    relayUrl: a.relayUrl,
    ...options,
  })

/** Whom the next look asks. */
async function askedBy(look: Promise<unknown>): Promise<readonly FakeChainServer[]> {
  for (const { calls } of all()) calls.length = 0
  await look.catch(() => {})
  return all().filter(({ calls }) => calls.length > 0)
}

/** Nobody is waited for once enough have answered. */
function withoutGrace() {
  const later = setTimeout
  vi.stubGlobal('setTimeout', (work: () => void, ms: number) => later(work, ms === 2_000 ? 0 : ms))
}

const wait = (ms: number) => vi.setSystemTime(Date.now() + ms)

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  a = await FakeChainServer.listening()
  b = await FakeChainServer.listening()
  c = await FakeChainServer.listening()
})
afterEach(async () => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  for (const node of all()) await node.close()
})

describe('the contract of anchors', () => {
  for (const { title, run } of ANCHOR_CONTRACT)
    it(title, () => run(anchorHarness(all(), () => anchorOver(all()))))
})

describe('several nodes', () => {
  it.each([
    ['none', []],
    ['one twice', ['http://127.0.0.1:1', 'http://127.0.0.1:1']],
    ['one twice, written otherwise', ['http://node.example', 'HTTP://Node.Example:80/']],
    ['one that is no URL', ['http://node.example', 'http://']],
    ['one with a password', ['http://node.example', 'https://me:secret@other.example']],
  ])('are refused where there are %s', (_, rpcUrls) => {
    expect(() => anchorOver([], { rpcUrls })).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })

  it.each([0, -1, 1.5, NaN, 4])('are refused where %d of three must agree', (agree) => {
    expect(() => anchorOver(all(), { agree })).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })

  it('confirm what two of them say, whatever the third says, which is left alone for half a minute', async () => {
    holdEverywhere(OURS)
    c.answers.set(0, OTHER)
    const anchor = anchorOver(all())
    expect(await anchor.read(NAME, neverAborted)).toEqual(OURS_DEEP)
    expect(await askedBy(anchor.read(NAME, neverAborted))).toEqual([a, b])
    wait(31_000)
    expect(await askedBy(anchor.read(NAME, neverAborted))).toEqual([a, b, c])
  })

  it('confirm nothing where one says it is there and one that it is not, and tell of that', async () => {
    a.answers.set(0, OURS)
    const anchor = anchorOver([a, b])
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({
      code: 'nodes-disagree',
      class: 'transient',
      message: expect.stringContaining('Fewer than 2 of 2 nodes') as unknown,
    })
    b.answers.set(0, OURS)
    expect(await anchor.read(NAME, neverAborted)).toEqual(OURS_DEEP)
  })

  it('confirm nothing where more say it than anything else, and fewer than must agree', async () => {
    holdEverywhere(OURS)
    c.answers.set(0, OTHER)
    const strict = anchorOver(all(), { agree: 3 })
    await expect(strict.read(NAME, neverAborted)).rejects.toMatchObject({ code: 'nodes-disagree' })
    expect(await anchorOver(all(), { agree: 2 }).read(NAME, neverAborted)).toEqual(OURS_DEEP)
  })

  it('confirm nothing where as many say one thing as another', async () => {
    const d = await FakeChainServer.listening()
    try {
      for (const node of [a, b]) node.answers.set(0, OURS)
      for (const node of [c, d]) node.answers.set(0, OTHER)
      await expect(anchorOver([a, b, c, d]).read(NAME, neverAborted)).rejects.toMatchObject({
        code: 'nodes-disagree',
      })
    } finally {
      await d.close()
    }
  })

  it.each([
    ['is down', { status: 503, body: '' }],
    ['refuses', { status: 400, body: rpcError(-32000, 'header not found') }],
    ['asks for less', { body: rpcError(-32005, 'limit exceeded') }],
    ['is no node', { body: '<html>' }],
  ])('go on without one that %s, and leave it alone for half a minute', async (_, rpcAnswer) => {
    holdEverywhere(OURS)
    a.rpcAnswer = rpcAnswer
    const anchor = anchorOver(all())
    expect(await anchor.read(NAME, neverAborted)).toEqual(OURS_DEEP)
    expect(await askedBy(anchor.read(NAME, neverAborted))).toEqual([b, c])
    a.rpcAnswer = undefined
    wait(31_000)
    expect(await askedBy(anchor.read(NAME, neverAborted))).toEqual([a, b, c])
  })

  it('go on without one of another chain', async () => {
    holdEverywhere(OURS)
    a.chainId = 1
    expect(await anchorOver(all()).read(NAME, neverAborted)).toEqual(OURS_DEEP)
  })

  it('ask one that is behind of no block that it lacks', async () => {
    holdEverywhere(OURS)
    a.blockNumber = 7
    expect(await anchorOver(all()).read(NAME, neverAborted)).toEqual(OURS_DEEP)
    expect(a.calls.map(({ method }) => method)).not.toContain('eth_call')
  })

  it('count the blocks from the newest that enough of them have', async () => {
    for (const node of [a, b]) node.answers.set(9, OURS)
    b.blockNumber = 9
    const anchor = anchorOver([a, b])
    expect(await anchor.read(NAME, neverAborted)).toEqual({ blockNumber: 9, latest: recordOf(anchorOf('3')) })
    b.blockNumber = 10
    expect(await anchor.read(NAME, neverAborted)).toEqual(OURS_DEEP)
  })

  it('are not led back behind what was agreed by one that tells an old block: it is set aside, and told', async () => {
    holdEverywhere(OURS)
    const anchor = anchorOver([a, b])
    expect(await anchor.read(NAME, neverAborted)).toEqual(OURS_DEEP)
    b.blockNumber = 4
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({
      code: 'nodes-disagree',
      class: 'transient',
      message: expect.stringContaining(`${b.origin}: It is 6 blocks behind.`) as unknown,
    })
    b.blockNumber = 10
    expect(await anchor.read(NAME, neverAborted)).toEqual(OURS_DEEP)
  })

  it('are compared at the block that both have where one of two falls back by a few, look after look', async () => {
    holdEverywhere(OURS)
    const anchor = anchorOver([a, b])
    const blocks: number[] = []
    for (const lag of [0, 1, 0, 1, 5, 0, 2]) {
      b.blockNumber = a.blockNumber - lag
      blocks.push((await anchor.read(NAME, neverAborted)).blockNumber)
      a.blockNumber += 1
    }
    expect(blocks).toEqual([10, 10, 12, 12, 9, 15, 14])
  })

  it('tell the app, once each time, of one that is set aside, or is used though it lags', async () => {
    holdEverywhere(OURS)
    const told: SetAside[] = []
    const anchor = anchorOver([a, b], { onSetAside: (node) => void told.push(node) })
    const look = () => anchor.read(NAME, neverAborted).catch(() => undefined)
    await look()
    expect(told).toEqual([])
    for (const lag of [1, 2, 1]) {
      b.blockNumber = a.blockNumber - lag
      await look()
    }
    expect(told).toEqual([{ origin: b.origin, code: 'bad-answer', message: 'It is 1 blocks behind.' }])
    b.blockNumber = a.blockNumber
    await look()
    b.rpcAnswer = { status: 503, body: '' }
    await look()
    await look()
    expect(told.slice(1)).toMatchObject([{ origin: b.origin, code: 'server-error' }])
    b.rpcAnswer = undefined
    b.answers.set(0, OTHER)
    await look()
    expect(told.length).toBe(2)
    b.answers.set(0, OURS)
    await look()
    b.answers.set(0, OTHER)
    await look()
    await look()
    expect(told.length).toBe(2)
  })

  it('are not held up by a callback that throws', async () => {
    holdEverywhere(OURS)
    c.answers.set(0, OTHER)
    const uncaught: unknown[] = []
    const later = queueMicrotask
    vi.stubGlobal('queueMicrotask', (work: () => void) =>
      later(() => {
        try {
          work()
        } catch (error) {
          uncaught.push(error)
        }
      }),
    )
    const onSetAside = () => {
      throw new Error('of the app')
    }
    expect(await anchorOver(all(), { onSetAside }).read(NAME, neverAborted)).toEqual(OURS_DEEP)
    expect(uncaught.length).toBe(1)
  })

  it.each<[string, () => void, RegExp]>([
    ['lags', () => (c.blockNumber = 4), /7 blocks behind/],
    ['lies', () => c.answers.set(12, OTHER), /says otherwise of block/],
    ['is away', () => (c.rpcAnswer = { status: 503, body: 'Later.' }), /answered 503: Later/],
    ['is of another chain', () => (c.chainId = 1), /has chain 1,/],
    [
      'knows no such block',
      () => (c.rpcAnswer = { body: rpcError(-32000, 'header not found') }),
      /header not found/,
    ],
    ['leads on', () => (c.rpcAnswer = { status: 302, headers: { location: '/' }, body: '' }), /redirect/],
  ])('tell, with what is confirmed, of one that %s, until it is in order', async (_, spoil, message) => {
    const anchor = anchorOver(all())
    for (const node of all()) node.mine(anchorOf('3'))
    const receipt = async () => {
      const { latest } = await anchor.read(NAME, neverAborted)
      const block = latest?.blockNumber ?? 0
      return (await anchor.events(NAME, block, block, neverAborted))[0]?.receipt
    }
    const inOrder = await receipt()
    expect(inOrder).toMatchObject({ transactionHash: `0x${anchorOf('3').head.root}` })
    expect(inOrder).not.toHaveProperty('setAside')
    for (const node of all()) node.mine(anchorOf('4'))
    spoil()
    expect(await receipt()).toMatchObject({
      setAside: [{ origin: c.origin, message: expect.stringMatching(message) as unknown }],
    })
  })

  it('go on without a third that is away while one of the two falls back', async () => {
    holdEverywhere(OURS)
    const anchor = anchorOver(all())
    await anchor.read(NAME, neverAborted)
    a.rpcAnswer = { status: 503, body: '' }
    b.blockNumber = 9
    expect(await anchor.read(NAME, neverAborted)).toEqual({ ...OURS_DEEP, blockNumber: 9 })
    a.rpcAnswer = undefined
    b.blockNumber = 10
    wait(31_000)
    expect(await anchor.read(NAME, neverAborted)).toEqual(OURS_DEEP)
  })

  it('go on at their own blocks, and leave one that fell behind alone for half a minute', async () => {
    holdEverywhere(OURS)
    const anchor = anchorOver(all())
    await anchor.read(NAME, neverAborted)
    a.blockNumber = 11
    b.blockNumber = 12
    c.blockNumber = 9
    expect(await anchor.read(NAME, neverAborted)).toEqual({ ...OURS_DEEP, blockNumber: 11 })
    expect(await askedBy(anchor.read(NAME, neverAborted))).toEqual([a, b])
  })

  it('follow a chain that went back as a whole', async () => {
    holdEverywhere(OURS)
    const anchor = anchorOver(all())
    await anchor.read(NAME, neverAborted)
    for (const node of all()) node.blockNumber = 5
    expect(await anchor.read(NAME, neverAborted)).toEqual({ ...OURS_DEEP, blockNumber: 5 })
  })

  it('follow a chain that went back where one of them stays ahead', async () => {
    holdEverywhere(OURS)
    const anchor = anchorOver(all())
    await anchor.read(NAME, neverAborted)
    b.blockNumber = c.blockNumber = 5
    for (let look = 0; look < 2; look++)
      expect(await anchor.read(NAME, neverAborted)).toEqual({ ...OURS_DEEP, blockNumber: 5 })
  })

  it('agree on an older block where one that is ahead says otherwise', async () => {
    holdEverywhere(OURS)
    a.answers.set(0, OTHER)
    a.blockNumber = 99
    c.blockNumber = 8
    expect(await anchorOver(all()).read(NAME, neverAborted)).toEqual({ ...OURS_DEEP, blockNumber: 8 })
  })

  it('take for deep what so many of them call final, whatever one more of them says', async () => {
    holdEverywhere(OURS)
    a.tags = { finalized: 4 }
    b.tags = { finalized: 6 }
    c.tags = { finalized: 99 }
    const deepBlocks = async (agree: number) => {
      const asked = await askedBy(anchorOver(all(), { depth: 'finalized', agree }).read(NAME, neverAborted))
      expect(asked).toEqual([a, b, c])
      return a.calls.flatMap(({ method, params }) => (method === 'eth_call' ? [Number(params[1])] : []))
    }
    expect(await deepBlocks(2)).toEqual([10, 6])
    expect(await deepBlocks(3)).toEqual([10, 4])
  })

  it('go on without one that knows no final block', async () => {
    holdEverywhere(OURS)
    for (const node of [a, b]) node.tags = { safe: 6 }
    const anchor = anchorOver(all(), { depth: 'safe' })
    expect(await anchor.read(NAME, neverAborted)).toEqual(OURS_DEEP)
    expect(await askedBy(anchor.read(NAME, neverAborted))).toEqual([a, b])
  })

  it('name the transaction that two of them name', async () => {
    for (const node of all()) node.mine(anchorOf('3'))
    const honest = { transactionHash: `0x${anchorOf('3').head.root}` }
    c.logs.set(11, [{ ...logOf(anchorOf('3')), transactionHash: '0x1' }])
    const [event] = await anchorOver(all()).events(NAME, 11, 11, neverAborted)
    expect(event?.receipt).toMatchObject(honest)
    b.logs.clear()
    await expect(anchorOver([a, b]).events(NAME, 11, 11, neverAborted)).rejects.toMatchObject({
      code: 'nodes-disagree',
    })
    c.logs.clear()
    expect(await anchorOver(all()).events(NAME, 11, 11, neverAborted)).toEqual([])
  })

  it('name the same transaction in whatever letters they write it, and none of them is set aside for that', async () => {
    const log = logOf(anchorOf('3'))
    const capitals = (text: string) => text.toUpperCase().replace('X', 'x')
    const shouting = {
      topics: log.topics.map(capitals),
      data: capitals(log.data),
      transactionHash: capitals(`0x${'ab'.repeat(32)}`),
      blockHash: capitals(log.blockHash),
    }
    for (const node of [a, b]) node.mine(anchorOf('3'))
    a.logs.set(11, [{ ...log, transactionHash: `0x${'ab'.repeat(32)}` }])
    b.logs.set(11, [shouting])
    const told: SetAside[] = []
    const anchor = anchorOver([a, b], { onSetAside: (node) => void told.push(node) })
    const [event] = await anchor.events(NAME, 11, 11, neverAborted)
    expect(event?.receipt.transactionHash).toMatch(/^0x(ab){32}$/i)
    expect(told).toEqual([])
  })

  describe('of which some tell of a single block at a time', () => {
    /** What they refuse, and with what. */
    const refuseRanges = (nodes: readonly FakeChainServer[], refusal: object = {}) => {
      for (const node of nodes) {
        const answer = node.answer.bind(node)
        const resultOf = node.resultOf.bind(node)
        let isRefused = false
        node.resultOf = (call) => {
          const [filter] = call.params as [{ readonly fromBlock?: string; readonly toBlock?: string }]
          isRefused = call.method === 'eth_getLogs' && filter.fromBlock !== filter.toBlock
          return resultOf(call)
        }
        node.answer = async (request) => {
          const honest = await answer(request)
          return isRefused ? { body: rpcError(-32602, 'block range is too wide'), ...refusal } : honest
        }
      }
    }
    const told: SetAside[] = []
    const anchorOfAll = () => anchorOver(all(), { onSetAside: (node) => void told.push(node) })
    beforeEach(() => {
      told.length = 0
      for (const node of all()) {
        node.mine(anchorOf('3'))
        node.mine(anchorOf('4'))
      }
    })

    it('are asked for one by who wants to know, and are not told to be at fault', async () => {
      refuseRanges(all())
      const anchor = anchorOfAll()
      await expect(anchor.events(NAME, 11, 12, neverAborted)).rejects.toMatchObject({
        code: 'nodes-disagree',
      })
      const [event] = await anchor.events(NAME, 12, 12, neverAborted)
      expect(event).toMatchObject({ size: 4, previousBlock: 11 })
      expect(event?.receipt).not.toHaveProperty('setAside')
      expect(await askedBy(anchor.read(NAME, neverAborted))).toEqual(all())
      expect(told).toEqual([])
    })

    it('are believed where enough others tell', async () => {
      refuseRanges([a])
      const anchor = anchorOfAll()
      const events = await anchor.events(NAME, 11, 12, neverAborted)
      expect(events.map(({ size }) => size)).toEqual([3, 4])
      expect(events[0]?.receipt).not.toHaveProperty('setAside')
      expect(await askedBy(anchor.read(NAME, neverAborted))).toEqual(all())
      expect(told).toEqual([])
    })

    it('are heeded where one asks to be left alone with that', async () => {
      refuseRanges([a], { status: 429, headers: { 'retry-after': '600' } })
      const anchor = anchorOfAll()
      await anchor.events(NAME, 11, 12, neverAborted)
      wait(31_000)
      expect(await askedBy(anchor.read(NAME, neverAborted))).toEqual([b, c])
    })
  })

  it('do not wait for one that hangs, once enough have answered, and leave it alone after that', async () => {
    withoutGrace()
    holdEverywhere(OURS)
    c.hangs = 1
    const anchor = anchorOver(all())
    expect(await anchor.read(NAME, neverAborted)).toEqual(OURS_DEEP)
    expect(await askedBy(anchor.read(NAME, neverAborted))).toEqual([a, b])
  })

  it('wait for one that was late where the others do not agree', async () => {
    withoutGrace()
    holdEverywhere(OURS)
    a.answers.set(0, OTHER)
    c.hangs = 1
    expect(await anchorOver(all()).read(NAME, neverAborted)).toEqual(OURS_DEEP)
  })

  it('ask one that was set aside where too few are left', async () => {
    holdEverywhere(OURS)
    a.rpcAnswer = { status: 503, body: '' }
    const anchor = anchorOver(all())
    await anchor.read(NAME, neverAborted)
    a.rpcAnswer = undefined
    b.rpcAnswer = { status: 503, body: '' }
    expect(await anchor.read(NAME, neverAborted)).toEqual(OURS_DEEP)
  })

  it('heed what one asks for, though too few are left', async () => {
    a.rpcAnswer = { status: 429, headers: { 'retry-after': '600' }, body: '' }
    const anchor = anchorOver([a, b])
    const failed = { code: 'nodes-disagree', retryAfterMs: 600_000 }
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject(failed)
    wait(31_000)
    expect(await askedBy(anchor.read(NAME, neverAborted))).toEqual([])
    wait(600_000)
    expect(await askedBy(anchor.read(NAME, neverAborted))).toEqual([a, b])
  })

  it.each(['fails', 'goes well'])('heed it though another request %s meanwhile', async (outcome) => {
    holdEverywhere(OURS)
    const anchor = anchorOver([a, b])
    const answer = a.answer.bind(a)
    let asked = 0
    a.answer = async (request) => {
      if (asked++ === 0) return { status: 429, headers: { 'retry-after': '600' }, body: '' }
      await first
      return outcome === 'fails' ? { status: 503, body: '' } : answer(request)
    }
    const first = anchor.read(NAME, neverAborted).catch(() => undefined)
    await anchor.read(NAME, neverAborted).catch(() => undefined)
    expect(asked).toBeGreaterThan(1)
    a.answer = answer
    wait(31_000)
    expect(await askedBy(anchor.read(NAME, neverAborted))).not.toContain(a)
  })

  it('name those that failed, and why', async () => {
    a.rpcAnswer = { body: rpcError(-32000, 'missing trie node') }
    await expect(anchorOver([a, b]).read(NAME, neverAborted)).rejects.toMatchObject({
      code: 'nodes-disagree',
      class: 'transient',
      message: expect.stringMatching(new RegExp(`${a.origin}: .*missing trie node`)) as unknown,
    })
  })

  it.each([
    ['unreachable', async () => void (await Promise.all(all().map((node) => node.close())))],
    ['wrong-chain', async () => all().forEach((node) => (node.chainId = 1))],
    ['throttled', async () => all().forEach((node) => (node.rpcAnswer = { status: 429, body: '' }))],
  ])('that all fail alike are %s', async (code, fail) => {
    const anchor = anchorOver(all())
    await fail()
    await expect(anchor.read(NAME, neverAborted)).rejects.toMatchObject({ code })
  })

  it('are asked again at once after a stop of our own', async () => {
    const over = new AbortController()
    for (const node of all()) node.hangs = 1
    const anchor = anchorOver(all())
    const read = anchor.read(NAME, over.signal)
    await expect.poll(() => all().every(({ calls }) => calls.length > 0)).toBe(true)
    over.abort()
    await expect(read).rejects.toMatchObject({ code: 'aborted' })
    expect(await askedBy(anchor.read(NAME, neverAborted))).toEqual([a, b, c])
  })

  it('are one, where one is named', async () => {
    holdEverywhere(OURS)
    expect(await anchorOver([a]).read(NAME, neverAborted)).toEqual(OURS_DEEP)
  })

  it('need not be up to hand an anchor over: the relay is one', async () => {
    for (const node of all()) node.rpcAnswer = { status: 503, body: '' }
    await anchorOver(all()).submit(anchorOf('3'), neverAborted)
    expect(a.submitted).toHaveLength(1)
  })
})
